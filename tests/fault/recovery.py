"""The recovery: how long each part needs to catch up after the last fault is mended."""

import time
from collections.abc import Callable
from datetime import datetime

import psycopg2

from tests.fault.stores import rows
from tests.fault.system import System

LOOK_SECONDS = 0.2
_NEWEST = (
    "SELECT coalesce(max(pgh_id), 0), count(*), statement_timestamp() FROM patients_patientevent"
)
_OUTBOX = "SELECT count(*) FROM patients_eventoutbox WHERE event_id <= %s"
_COUNTED = "SELECT count(*) FROM counted_event WHERE event_id <= %s"
_BILLING = """
    SELECT (SELECT count(*) FROM billing_billingaccount
            WHERE next_attempt_at IS NOT NULL AND wanted_at <= %(at)s)
        + (SELECT count(*) FROM patients_patient WHERE created_at <= %(at)s
           AND id NOT IN (SELECT patient_id FROM billing_billingaccount))
"""


def recovered(system: System, *, seconds: float) -> dict[str, float | None]:
    """Returns the seconds until topic, figures and billing have all that is committed now.

    A part that needs more than `seconds` has None.
    """
    began = time.monotonic()
    found: dict[str, float | None] = {"topic": None, "figures": None, "billing": None}
    marks = _newest(system, until=began + seconds)
    if marks is None:
        return found
    newest, count, at = marks
    done: dict[str, Callable[[], bool]] = {
        "topic": lambda: rows(system, "portal", _OUTBOX, [newest])[0][0] == 0,
        "figures": lambda: rows(system, "analytics", _COUNTED, [newest])[0][0] >= count,
        "billing": lambda: rows(system, "portal", _BILLING, {"at": at})[0][0] == 0,
    }
    while time.monotonic() < began + seconds and None in found.values():
        for part in [part for part, taken in found.items() if taken is None]:
            try:
                if done[part]():
                    found[part] = time.monotonic() - began
            except psycopg2.Error:
                pass
        time.sleep(LOOK_SECONDS)
    return found


def caught_up(system: System, *, seconds: float) -> bool:
    """Tells whether everything catches up within that time. No write may happen meanwhile."""
    return None not in recovered(system, seconds=seconds).values()


def _newest(system: System, *, until: float) -> tuple[int, int, datetime] | None:
    """Returns the newest event, the count of events and the time, once PostgreSQL answers."""
    while time.monotonic() < until:
        try:
            return rows(system, "portal", _NEWEST)[0]
        except psycopg2.Error:
            time.sleep(LOOK_SECONDS)
    return None
