"""Sending again what was sent before: log rows go back into the outbox."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

import structlog
from django.db import connection

log = structlog.get_logger("portal.events")
_AGAIN = """
    INSERT INTO patients_eventoutbox (event_id) SELECT pgh_id FROM patients_patientevent {where} ON CONFLICT DO NOTHING
"""


def replay_all() -> int:
    """The whole log, oldest first: for a broker that lost its topic. The number of events put back."""
    return _put_back("", [])


def replay_patient(patient_id: UUID) -> int:
    """One patient's events."""
    return replay_patients([patient_id])


def replay_patients(patient_ids: Iterable[UUID]) -> int:
    """All events of these patients, so that each one's come again in their order."""
    return _put_back("WHERE pgh_obj_id = ANY(%s::uuid[])", [[str(one) for one in patient_ids]])


def replay_since(moment: datetime) -> int:
    """Events of changes made at or after the moment."""
    return _put_back("WHERE pgh_created_at >= %s", [moment])


def _put_back(where: str, values: list[list[str] | datetime]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_AGAIN.format(where=where), values)
        log.info("events_replayed", count=cursor.rowcount)
        return int(cursor.rowcount)
