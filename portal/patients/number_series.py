"""The series of MRNs and of event numbers, which a restored backup sets back.

A backup holds the state of a series at its moment. What was given out after that is on labels and
in letters, and would be given to other patients. The topic has the numbers of later events; each
registration makes an event, so those tell how many MRNs were given out at most.
"""

from collections.abc import Iterable

import structlog
from django.db import connection, transaction

log = structlog.get_logger("portal.patients")
# MRNs that are skipped: for each event that was lost, and beside them. A registration that the
# database refuses takes an MRN without an event, so that there may be more of those than of these.
MRNS_PER_EVENT, SPARE_MRNS = 2, 1_000
MOST_LOST_EVENTS = 5_000_000  # More is no backup's gap: another system wrote to it.
# The number given out last in each series. `is_called` is false in a series that gave none out.
_LAST_EVENT = "SELECT last_value - (NOT is_called)::int FROM patients_patientevent_pgh_id_seq"
_LOCK = "SELECT pg_advisory_xact_lock(20261129)"  # Any number that nothing else uses.
_MOVE = """
    SELECT setval('patients_patientevent_pgh_id_seq', %(last_event)s),
        setval('patients_mrn_seq', (SELECT last_value FROM patients_mrn_seq) + %(mrns)s)
"""


def last_lost_event(event_ids: Iterable[int]) -> tuple[int, int]:
    """Returns the greatest number that would be given out a second time, and how many would.

    `event_ids` are numbers on the topic. Both are 0 where they prove nothing.
    """
    with connection.cursor() as cursor:
        cursor.execute(_LAST_EVENT)
        [last] = cursor.fetchone()
    lost = [number for number in event_ids if last < number <= last + MOST_LOST_EVENTS]
    return (max(lost), max(lost) - last) if lost else (0, 0)


def continue_numbers(event_ids: Iterable[int]) -> int:
    """Moves both series past all that was given out before a restore; returns the MRNs skipped.

    `event_ids` are numbers on the topic. A second time it changes nothing.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_LOCK)
        last_event, lost = last_lost_event(event_ids)
        if not lost:
            return 0
        skipped = MRNS_PER_EVENT * lost + SPARE_MRNS
        cursor.execute(_MOVE, {"last_event": last_event, "mrns": skipped})
    log.error("numbers_continued", lost_events=lost, skipped_mrns=skipped)
    return skipped
