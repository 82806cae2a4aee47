"""Merges as the log and the records tell them: which record stands for the person, and which ones went into it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from portal.patients.models import Patient, PatientEvent

LONGEST_CHAIN = 20  # Links that are followed. SQL could close a circle; a page must come to an end all the same.


@dataclass(frozen=True)
class Merge:
    """What a change has to do with another record: merged into it, or it into this one, or that taken back.

    `other` is the MRN of the other record; `words` why somebody merged them.
    """

    other: str
    is_of_survivor: bool
    is_undone: bool = False
    words: str = ""


def merges_in(befores: Sequence[Any], events: Sequence[Any]) -> dict[int, Merge]:
    """Of some log rows, each beside the one before it, those that merged something or took that back, by version."""
    found = {}
    for before, event in zip(befores, events, strict=False):
        if told := _told(before, event):
            found[event.version] = told
    numbers = mrns_of(other for other, _ in found.values())
    return {
        version: Merge(
            numbers.get(other, "erased"),
            is_of_survivor="duplicate" in told,
            is_undone=bool(told.get("undone")),
            words=told.get("reason", ""),
        )
        for version, (other, told) in found.items()
    }


def survivor_of(patient: Patient) -> Patient:
    """The record that stands for the person today: at the end of the chain, or the patient."""
    for _ in range(LONGEST_CHAIN):
        if patient.merged_into is None:
            break
        patient = patient.merged_into
    return patient


def merged_here(patient: Patient) -> list[Patient]:
    """The records that were merged into this one, also by way of others, in the order of their MRNs: MRN and id."""
    found: dict[UUID, Patient] = {}
    last = [patient.pk]
    for _ in range(LONGEST_CHAIN):
        rows = Patient.objects.filter(merged_into__in=last).only("id", "mrn", "merged_into").order_by("mrn")
        last = [one.pk for one in rows if one.pk not in found]
        found |= {one.pk: one for one in rows}
        if not last:
            break
    return sorted(found.values(), key=lambda one: one.mrn)


def mrns_of(patient_ids: Iterable[UUID | str]) -> dict[str, str]:
    """MRNs by the text of the id; also of those who are erased and stand in the log."""
    wanted = {str(one) for one in patient_ids}
    if not wanted:
        return {}
    told = PatientEvent.objects.filter(pgh_obj_id__in=wanted).values_list("pgh_obj_id", "mrn")
    return {str(pk): mrn for pk, mrn in told.distinct()}


def _told(before: Any, event: Any) -> tuple[str, Mapping[str, Any]] | None:
    """The other record's id, and what the writer left beside the row; SQL leaves nothing, but the columns tell."""
    told = (event.pgh_context or {}).get("merge")
    if told:
        return told.get("duplicate") or told.get("survivor"), told
    was, now = getattr(before, "merged_into_id", None), event.merged_into_id
    if was == now:
        return None
    return str(now or was), {} if now else {"undone": True}
