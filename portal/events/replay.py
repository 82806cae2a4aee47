"""Replay: rows of the log go back into the outbox, so that the relay sends them again."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

import structlog
from django.db import connection

log = structlog.get_logger("portal.events")
_REPLAY = """
    INSERT INTO patients_eventoutbox (event_id)
    SELECT pgh_id FROM patients_patientevent {where}
    ON CONFLICT DO NOTHING
"""


def replay_all() -> int:
    """Puts the whole log back, for a broker that lost its topic; returns the number of events."""
    return _replay("", [])


def replay_patient(patient_id: UUID) -> int:
    """Puts a patient's events back; returns their number."""
    return replay_patients([patient_id])


def replay_patients(patient_ids: Iterable[UUID]) -> int:
    """Puts all events of these patients back, so that each patient's come again in their order."""
    ids = [str(patient_id) for patient_id in patient_ids]
    return _replay("WHERE pgh_obj_id = ANY(%s::uuid[])", [ids])


def replay_since(moment: datetime) -> int:
    """Puts the events of changes made at or after the moment back; returns their number."""
    return _replay("WHERE pgh_created_at >= %s", [moment])


def _replay(where: str, values: list[list[str] | datetime]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_REPLAY.format(where=where), values)
        log.info("events_replayed", count=cursor.rowcount)
        return int(cursor.rowcount)
