"""What the log says of merges: where one was made, and what its survivor would be without it."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from portal.duplicates.merge_fields import MERGE_CHOICES, column_values
from portal.patients.models import Patient, PatientEvent, Status
from portal.patients.models.log import DELETED


def find_merge(merged: Patient) -> PatientEvent | None:
    """Returns the log's row of the merge that is in force; None where SQL made it."""
    rows = PatientEvent.objects.filter(
        pgh_obj=merged,
        pgh_context__merge__survivor=str(merged.merged_into_id),
        status=Status.MERGED,
    )
    return rows.order_by("-version").first()


def event_of_version(patient_id: UUID, version: int) -> PatientEvent | None:
    rows = PatientEvent.objects.filter(pgh_obj=patient_id, version=version)
    return rows.exclude(pgh_label=DELETED).first()


def values_without_merge(survivor: Patient, version: int) -> tuple[dict[str, Any], list[str]]:
    """Returns what to write so that the survivor is as if this merge had never been made.

    `version` is the survivor's after the merge. Beside the values come the choices that stay as
    they are although this merge changed them: a person, or another merge in force, set them.
    """
    events = list(_events_of(survivor.pk))
    left_out = {*_merges_taken_back(events), version}
    values: dict[str, Any] = {}
    kept: list[str] = []
    for choice in _choices_of(events, version):
        own_values = _replay(events, choice, left_out)
        if own_values == column_values(survivor, choice):
            if _is_changed_by(events, version, choice):
                kept.append(choice)
        else:
            values |= own_values
    return values, kept


def _events_of(patient_id: UUID) -> Sequence[PatientEvent]:
    """Returns the log of the patient, the oldest first."""
    events = PatientEvent.objects.filter(pgh_obj=patient_id)
    return events.exclude(pgh_label=DELETED).order_by("version")


def _merge_of(event: PatientEvent) -> dict[str, Any]:
    """Returns what the log says of the merge, or the unmerge, into this record; else nothing."""
    merge = (event.pgh_context or {}).get("merge") or {}
    return merge if "duplicate" in merge else {}


def _merges_taken_back(events: Sequence[PatientEvent]) -> set[int]:
    """Returns the versions of the survivor whose merges were undone since."""
    merged: dict[str, int] = {}
    taken_back = set()
    for event in events:
        merge = _merge_of(event)
        if merge and not merge.get("undone"):
            merged[merge["duplicate"]] = event.version
        elif merge and merge["duplicate"] in merged:
            taken_back.add(merged.pop(merge["duplicate"]))
    return taken_back


def _choices_of(events: Sequence[PatientEvent], version: int) -> list[str]:
    """Returns the choices that this merge took, whether or not they had another value before."""
    taken = {
        choice
        for event in events
        if event.version == version
        for choice in _merge_of(event).get("taken") or ()
    }
    return [
        choice
        for choice in MERGE_CHOICES
        if choice in taken or _is_changed_by(events, version, choice)
    ]


def _is_changed_by(events: Sequence[PatientEvent], version: int, choice: str) -> bool:
    values = {
        event.version: column_values(event, choice)
        for event in events
        if event.version in (version - 1, version)
    }
    return len(values) > 1 and values[version - 1] != values[version]


def _replay(
    events: Sequence[PatientEvent], choice: str, left_out: Collection[int]
) -> dict[str, Any]:
    """Returns the values of the choice as if the merges of these versions had not been made.

    What a person wrote stays, also where it is what the merge had brought. So does what another
    merge took, also where the value was there already: whoever made it chose that value.
    """
    previous = values = column_values(events[0], choice)
    for event in events[1:]:
        merge, now = _merge_of(event), column_values(event, choice)
        is_set = now != previous or choice in (merge.get("taken") or ())
        # An unmerge only takes back what a merge brought, which is left out here already.
        if is_set and event.version not in left_out and not merge.get("undone"):
            values = now
        previous = now
    return values
