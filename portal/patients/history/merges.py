"""Merges in the log of a patient: which change merged or unmerged a record, and what is merged."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from portal.patients.models import Patient, PatientEvent
from portal.patients.models.patient import LONGEST_CHAIN
from portal.prepared import execute_prepared

_MERGED_INTO = "(uuid[]) AS SELECT id, mrn FROM patients_patient WHERE merged_into_id = ANY($1)"


@dataclass(frozen=True)
class LoggedMerge:
    """A merge or an unmerge, as the log of one of its two records has it."""

    other_mrn: str
    is_of_survivor: bool
    is_undone: bool = False
    reason: str = ""


class MergedRecord(NamedTuple):
    """A record that was merged into another one."""

    pk: UUID
    mrn: str


def merged_records(patient: Patient) -> list[MergedRecord]:
    """Returns the records merged into this one, also through others, by MRN."""
    found: dict[UUID, MergedRecord] = {}
    survivors = [patient.pk]
    for _ in range(LONGEST_CHAIN):
        rows = execute_prepared("merged_into", lambda: _MERGED_INTO, [survivors])
        new = {pk: MergedRecord(pk, mrn) for pk, mrn in rows if pk not in found}
        if not new:
            break
        found |= new
        survivors = [*new]
    return sorted(found.values(), key=lambda record: record.mrn)


def merges_by_version(
    previous_events: Sequence[Any], events: Sequence[Any]
) -> dict[int, LoggedMerge]:
    """Returns the merges and unmerges among these log rows, by version."""
    found = {}
    for previous, event in zip(previous_events, events, strict=True):
        if merge := _merge_context(previous, event):
            found[event.version] = merge
    mrns = _mrns(other_id for other_id, _ in found.values())
    merges = {}
    for version, (other_id, context) in found.items():
        merges[version] = LoggedMerge(
            mrns.get(other_id, "erased"),
            is_of_survivor="duplicate" in context,
            is_undone=bool(context.get("undone")),
            reason=context.get("reason", ""),
        )
    return merges


def _merge_context(previous: Any, event: Any) -> tuple[str, Mapping[str, Any]] | None:
    """Returns the other record's id, and what the service wrote into the log's context.

    SQL writes no context, but the columns show a merge as well.
    """
    context = (event.pgh_context or {}).get("merge")
    if context:
        return context.get("duplicate") or context.get("survivor"), context
    old, new = getattr(previous, "merged_into_id", None), event.merged_into_id
    if old == new:
        return None
    return str(new or old), {} if new else {"undone": True}


def _mrns(patient_ids: Iterable[UUID | str]) -> dict[str, str]:
    """Returns MRNs by the text of the id, also of patients who are erased but stand in the log."""
    wanted = {str(patient_id) for patient_id in patient_ids}
    if not wanted:
        return {}
    rows = PatientEvent.objects.filter(pgh_obj_id__in=wanted).values_list("pgh_obj_id", "mrn")
    return {str(patient_id): mrn for patient_id, mrn in rows.distinct()}
