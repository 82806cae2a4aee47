"""Rows of the event log, read in batches for the encoder."""

from collections.abc import Iterable, Sequence

from portal.patients.models import EventOutbox, PatientEvent
from portal.patients.models.log import UPDATED

_PREVIOUS = """
    SELECT log.* FROM unnest(%s::uuid[], %s::bigint[]) AS wanted (patient, version)
    JOIN patients_patientevent AS log
      ON log.pgh_obj_id = wanted.patient AND log.version = wanted.version AND log.pgh_label <> 'delete'
"""


def waiting_event_ids(limit: int) -> list[int]:
    """The oldest events of the outbox. Ids of one patient are handed out under its row lock: id order is its order."""
    return list(EventOutbox.objects.order_by("event_id").values_list("event_id", flat=True)[:limit])


def has_waiting_events() -> bool:
    """Asked of the index: after a long queue the table itself is full of what was deleted."""
    return bool(waiting_event_ids(1))


def log_rows(event_ids: Sequence[int]) -> dict[int, PatientEvent]:
    """The log rows by event id, in the order of their ids."""
    rows = PatientEvent.objects.filter(pk__in=event_ids).order_by("pgh_id")
    return {row.pgh_id: row for row in rows}


def previous_rows(rows: Iterable[PatientEvent]) -> dict[int, PatientEvent]:
    """For each update its patient's row of the version before, by the update's event id; one query for all."""
    updates = [row for row in rows if row.pgh_label == UPDATED]
    if not updates:
        return {}
    wanted = [[str(row.pgh_obj_id) for row in updates], [row.version - 1 for row in updates]]
    found = {
        (row.pgh_obj_id, row.version): row for row in PatientEvent.objects.raw(_PREVIOUS, wanted)
    }
    pairs = ((row.pgh_id, found.get((row.pgh_obj_id, row.version - 1))) for row in updates)
    return {event_id: previous for event_id, previous in pairs if previous}
