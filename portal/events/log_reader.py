"""Reads rows of the event log in batches for the encoder."""

from collections.abc import Iterable, Sequence

from portal.patients.models import EventOutbox, PatientEvent
from portal.patients.models.log import UPDATED

_PREVIOUS = """
    SELECT log.* FROM unnest(%s::uuid[], %s::bigint[]) AS wanted (patient, version)
    JOIN patients_patientevent AS log
        ON log.pgh_obj_id = wanted.patient AND log.version = wanted.version
        AND log.pgh_label <> 'delete'
"""


def waiting_event_ids(limit: int) -> list[int]:
    """Returns the oldest events of the outbox.

    The ids of a patient are given under the patient's row lock: their order is the order of the
    patient's changes.
    """
    return list(EventOutbox.objects.order_by("event_id").values_list("event_id", flat=True)[:limit])


def has_waiting_events() -> bool:
    """Asks the index: after a long queue the table itself is full of deleted rows."""
    return bool(waiting_event_ids(1))


def log_rows(event_ids: Sequence[int]) -> dict[int, PatientEvent]:
    """Returns the log rows by event id, in the order of their ids."""
    rows = PatientEvent.objects.filter(pk__in=event_ids).order_by("pgh_id")
    return {row.pgh_id: row for row in rows}


def previous_rows(rows: Iterable[PatientEvent]) -> dict[int, PatientEvent]:
    """Returns for each update the patient's row of the version before, by the update's event id.

    It takes one query for all.
    """
    updates = [row for row in rows if row.pgh_label == UPDATED]
    if not updates:
        return {}
    patients = [str(row.pgh_obj_id) for row in updates]
    versions = [row.version - 1 for row in updates]
    found = {
        (row.pgh_obj_id, row.version): row
        for row in PatientEvent.objects.raw(_PREVIOUS, [patients, versions])
    }
    previous = {}
    for row in updates:
        before = found.get((row.pgh_obj_id, row.version - 1))
        if before:
            previous[row.pgh_id] = before
    return previous
