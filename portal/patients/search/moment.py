"""The moment of a list: later pages know what came after the first page was read."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db import Error as DatabaseError
from django.db import connection
from django.db.models import QuerySet

from portal.patients.models import PatientEvent
from portal.patients.search import tuning
from portal.prepared import PLANNED_ONCE, execute_prepared

# Rows of the log have the time at which their transaction began, not that of its commit. A
# transaction that has written nothing yet may still write; one that has not for so long is a
# report or a backup.
OPEN_SINCE = """
    SELECT least(clock_timestamp(), min(xact_start)) FROM pg_stat_activity
    WHERE datname = current_database() AND backend_type = 'client backend'
        AND pid <> pg_backend_pid()
        AND (backend_xid IS NOT NULL OR xact_start > clock_timestamp() - interval '10 seconds')
"""
_ONE_SNAPSHOT = f"BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY; {PLANNED_ONCE}"
_SEEN = """
    (timestamptz, bigint) AS
    SELECT pgh_id FROM patients_patientevent WHERE pgh_created_at >= $1 LIMIT $2
"""


@dataclass(frozen=True)
class Moment:
    """When the first page of a list was read.

    All that was written by transactions that began before `since` was committed by then. Of what
    others wrote, the first page saw the rows of the log in `seen_events`, and no others.
    """

    since: datetime
    seen_events: tuple[int, ...] = ()

    def later_events(self) -> QuerySet[PatientEvent]:
        """Returns the rows of the log that the first page did not see."""
        events = PatientEvent.objects.filter(pgh_created_at__gte=self.since).order_by()
        return events.exclude(pk__in=self.seen_events) if self.seen_events else events


@dataclass
class Snapshot:
    """What a first page sees: `since` is that of its moment, read by `open_since` before.

    `seen_events` are those of its moment, once a statement has read them with its patients.
    """

    since: datetime
    seen_events: Sequence[int] | None = None


class _LastMoment(NamedTuple):
    since: datetime
    read_at: float  # By the clock of this process.


_last_moment: list[_LastMoment] = []  # One at most.


def open_since() -> datetime:
    """Returns when the oldest transaction began that may still write, by the database's clock.

    Ask before the snapshot is taken. Without such a transaction it is now, or a moment ago: an
    earlier one is as right, and of many searches at once one asks the database.
    """
    for last in _last_moment:
        if time.monotonic() - last.read_at < tuning.SEARCH.moment_seconds:
            return last.since
    read_at = time.monotonic()
    since: datetime
    [[since]] = execute_prepared("open_since", lambda: f"AS {OPEN_SINCE}", [])
    _last_moment[:] = [_LastMoment(since, read_at)]
    return since


@contextmanager
def one_snapshot() -> Iterator[None]:
    """Makes all statements inside see the same moment; in a transaction they see what it sees.

    One message begins the transaction and says how: Django would take two.
    """
    if connection.in_atomic_block:
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute(_ONE_SNAPSHOT)
    connection.in_atomic_block = True
    try:
        yield
    finally:
        connection.in_atomic_block = connection.needs_rollback = False
        _end_snapshot()


def _end_snapshot() -> None:
    """Ends the transaction, which wrote nothing, or the connection if it is of no use any more."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("ROLLBACK")
    except DatabaseError:
        connection.close()


def moment_of_snapshot(snapshot: Snapshot) -> Moment:
    """Returns the moment of this snapshot."""
    since, seen = snapshot.since, snapshot.seen_events
    if seen is None:
        rows = execute_prepared("seen_events", lambda: _SEEN, [since, tuning.SEARCH.max_seen + 1])
        seen = [event_id for (event_id,) in rows]
    if len(seen) <= tuning.SEARCH.max_seen:
        return Moment(since, tuple(sorted(seen)))
    with connection.cursor() as cursor:  # A cursor cannot name so many: they count as before it.
        cursor.execute("SELECT clock_timestamp()")
        return Moment(cursor.fetchone()[0])


def changed_since(moment: Moment) -> list[UUID]:
    """Returns the patients who changed since then, those who are new among them.

    Returns none where there are very many changes, as after an import: then patients come at the
    place that they have now.
    """
    most = tuning.SEARCH.max_changes
    changed = list(moment.later_events().values_list("pgh_obj_id", flat=True)[: most + 1])
    return [] if len(changed) > most else list(set(changed))
