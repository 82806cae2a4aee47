"""The series of MRNs and of event numbers, which a restored backup sets back.

A backup holds the state of a series at its moment. What was given out after that is on labels and
in letters, and would be given to other patients. The topic has the numbers of later events; each
registration makes an event, so those tell how many MRNs were given out at most.

The topic is compared once for each identity of the database, which a restore changes: by the relay,
by a repair, or by the first change of a patient, whichever comes first. Where the topic does not
answer, numbers are skipped instead, so that the change need not wait.
"""

import threading
from collections.abc import Callable, Iterable

import structlog
from django.db import connection, transaction

from portal.patients.models import NumberCheck
from portal.prepared import execute_prepared

log = structlog.get_logger("portal.patients")
# MRNs that are skipped: for each event that was lost, and beside them. A registration that the
# database refuses takes an MRN without an event, so that there may be more of those than of these.
MRNS_PER_EVENT, SPARE_MRNS = 2, 1_000
MOST_LOST_EVENTS = 5_000_000  # More is no backup's gap: another system wrote to it.
# Of each series, where the topic cannot be asked: more than a clinic gives out between two backups.
SKIPPED_BLINDLY = 10_000
# The number given out last in each series. `is_called` is false in a series that gave none out.
_LAST_EVENT = "SELECT last_value - (NOT is_called)::int FROM patients_patientevent_pgh_id_seq"
_LOCK = "SELECT pg_advisory_xact_lock(20261129)"  # Any number that nothing else uses.
_MOVE = """
    SELECT setval('patients_patientevent_pgh_id_seq', %(last_event)s),
        setval('patients_mrn_seq', (SELECT last_value FROM patients_mrn_seq) + %(mrns)s)
"""
# A dump that is restored makes another database or other tables. After a restore of files, and
# where a standby takes over, the server has another start.
IDENTITY = """
    SELECT concat_ws('/', oid, 'patients_patient'::regclass::oid,
        extract(epoch FROM pg_postmaster_start_time()))
    FROM pg_database WHERE datname = current_database()
"""

_readers: list[Callable[[], Iterable[int]]] = []
_compared_here: set[str] = set()  # Identities that this process need not ask about again.
_one_at_a_time = threading.Lock()


def read_event_ids_by(reader: Callable[[], Iterable[int]]) -> None:
    """Makes this the way to learn the last event numbers on the topic; AppConfig.ready calls it."""
    _readers[:] = [reader]


def database_identity() -> str:
    """Returns a text that is another one after a restore of the portal's database."""
    [[identity]] = execute_prepared("database_identity", lambda: f"AS {IDENTITY}", [])
    return str(identity)


def compared_identities() -> list[str]:
    """Returns those that `ensure_numbers_continue` of this process finds in order at once.

    A statement that writes only where `IDENTITY` is one of them needs no query before it.
    """
    return list(_compared_here)


def ensure_numbers_continue() -> None:
    """Sees to it that no number is given out twice; every change of a patient calls it first.

    Mostly it is one short query. Call it outside of a transaction: after a restore it asks the
    topic, which may take seconds.
    """
    identity = database_identity()
    if identity in _compared_here:
        return
    with _one_at_a_time:
        if identity not in _compared_here:
            if not NumberCheck.objects.filter(identity=identity).exists():
                _compare_now(identity)
            _compared_here.add(identity)


def _compare_now(identity: str) -> None:
    try:
        event_ids = [number for read in _readers for number in read()]
    except Exception as error:  # Mostly Kafka is away. Whatever it is, a gap in the series is safe.
        log.warning("numbers_not_compared", error=type(error).__name__)
        _skip_blindly(identity)
    else:
        continue_numbers(event_ids, identity=identity)


def _skip_blindly(identity: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_LOCK)
        if NumberCheck.objects.filter(identity=identity).exists():
            return
        cursor.execute(_LAST_EVENT)
        [last] = cursor.fetchone()
        if last:  # A series that gave out nothing has nothing to continue.
            numbers = {"last_event": last + SKIPPED_BLINDLY, "mrns": SKIPPED_BLINDLY}
            cursor.execute(_MOVE, numbers)
            log.error("numbers_skipped", skipped_mrns=SKIPPED_BLINDLY)
            _record_check(identity)


def _record_check(identity: str) -> None:
    NumberCheck.objects.all().delete()
    NumberCheck.objects.create(identity=identity)


def last_lost_event(event_ids: Iterable[int]) -> tuple[int, int]:
    """Returns the greatest number that would be given out a second time, and how many would.

    `event_ids` are numbers on the topic. Both are 0 where they prove nothing.
    """
    with connection.cursor() as cursor:
        cursor.execute(_LAST_EVENT)
        [last] = cursor.fetchone()
    lost = [number for number in event_ids if last < number <= last + MOST_LOST_EVENTS]
    return (max(lost), max(lost) - last) if lost else (0, 0)


def continue_numbers(event_ids: Iterable[int], *, identity: str) -> int:
    """Moves both series past all that was given out before a restore; returns the MRNs skipped.

    `event_ids` are numbers on the topic, which were read after the database had this `identity`. A
    second time it changes nothing.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_LOCK)
        last_event, lost = last_lost_event(event_ids)
        skipped = MRNS_PER_EVENT * lost + SPARE_MRNS if lost else 0
        if lost:
            cursor.execute(_MOVE, {"last_event": last_event, "mrns": skipped})
            log.error("numbers_continued", lost_events=lost, skipped_mrns=skipped)
        _record_check(identity)
    return skipped
