"""Reads rows of the event log in batches for the encoder."""

import json
from collections import namedtuple
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from django.db import connection

from portal.arrays import array_of
from portal.patients.fields import RECORDED
from portal.patients.log_context import clean_context
from portal.patients.models.log import UPDATED

_OWN = ("pgh_id", "pgh_obj_id", "pgh_created_at", "pgh_label", "pgh_context", "version")
_COLUMNS = (*_OWN, *RECORDED)
# A row of the log with the columns that the encoder reads. A model would take longer to fill than
# its message to encode.
_Row = namedtuple("_Row", _COLUMNS)  # type: ignore[misc]  # The names are computed.
LogRow = Any  # A _Row, or a PatientEvent, which has the same names.
_TEXT = {"pgh_obj_id", "merged_into_id"}  # Read as text, which the message has.
_SELECT = ", ".join(f"log.{name}{'::text' if name in _TEXT else ''}" for name in _COLUMNS)
_WAITING = "SELECT event_id FROM patients_eventoutbox ORDER BY event_id LIMIT %s"
_ROWS = f"""
    SELECT {_SELECT} FROM patients_patientevent AS log WHERE log.pgh_id = ANY(%s::bigint[])
    ORDER BY log.pgh_id
"""  # noqa: S608 - all parts are constants
_PREVIOUS = f"""
    SELECT {_SELECT} FROM unnest(%s::uuid[], %s::bigint[]) AS wanted (patient, version)
    JOIN patients_patientevent AS log
        ON log.pgh_obj_id = wanted.patient AND log.version = wanted.version
        AND log.pgh_label <> 'delete'
"""  # noqa: S608 - all parts are constants


def waiting_event_ids(limit: int) -> list[int]:
    """Returns the oldest events of the outbox.

    The ids of a patient are given under the patient's row lock: their order is the order of the
    patient's changes.
    """
    with connection.cursor() as cursor:
        cursor.execute(_WAITING, [limit])
        return [event_id for (event_id,) in cursor.fetchall()]


def has_waiting_events() -> bool:
    """Asks the index: after a long queue the table itself is full of deleted rows."""
    return bool(waiting_event_ids(1))


def log_rows(event_ids: Sequence[int]) -> dict[int, LogRow]:
    """Returns the log rows by event id, in the order of their ids."""
    return {row.pgh_id: row for row in _read(_ROWS, [array_of(event_ids)])}


def previous_rows(rows: Iterable[LogRow]) -> dict[int, LogRow]:
    """Returns for each update the patient's row of the version before, by the update's event id.

    It takes one query for all.
    """
    updates = [row for row in rows if row.pgh_label == UPDATED]
    if not updates:
        return {}
    patients = array_of(row.pgh_obj_id for row in updates)
    versions = array_of(row.version - 1 for row in updates)
    found = {(row.pgh_obj_id, row.version): row for row in _read(_PREVIOUS, [patients, versions])}
    previous = {}
    for row in updates:
        before = found.get((row.pgh_obj_id, row.version - 1))
        if before:
            previous[row.pgh_id] = before
    return previous


def _read(statement: str, values: Sequence[Any]) -> list[LogRow]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        at = _COLUMNS.index("pgh_context")
        return [
            _Row._make((*row[:at], _context(row[at]), *row[at + 1 :])) for row in cursor.fetchall()
        ]


@lru_cache(1_000)
def _context(text: str | None) -> dict[str, Any]:
    """Reads who made a change; the rows of an import have the same."""
    return clean_context(json.loads(text)) if text else {}
