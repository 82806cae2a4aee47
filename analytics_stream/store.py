"""The figures' database: each batch of events is counted in one transaction, in set-based SQL."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import URL, Connection, text
from sqlalchemy.exc import SQLAlchemyError

from analytics_stream.database import OffsetsLost, StoreAway, open_engine, told
from analytics_stream.figures import (
    DAYS,
    EVENT_DAYS,
    EVENT_HOURS,
    HOURS,
    MINUTES,
    REGIONS,
    REGISTRATION_MINUTES,
    Counts,
    first_quarters,
    last_days,
    last_hours,
    last_minutes,
)
from analytics_stream.folding import (
    Event,
    Place,
    State,
    changes,
    event_counts,
    latest,
    latest_states,
    minute_of,
)
from analytics_stream.offsets import Bookmark, Kept, Partition
from analytics_stream.state_export import COUNT_GAPS, gap_age

# All rows are locked in one order, table by table and sorted by key, so that two workers cannot wait for each other.
TAKE_IN = text("""
    INSERT INTO counted_event (patient_id, event_id, occurred_at)
    SELECT * FROM unnest(CAST(:patient_ids AS uuid[]), CAST(:event_ids AS bigint[]), CAST(:times AS timestamptz[]))
        AS read (patient_id, event_id) ORDER BY patient_id, event_id
    ON CONFLICT DO NOTHING
    RETURNING patient_id::text, event_id
""")
# The rule of `folding.latest` in SQL; `old` and `new` in RETURNING came with PostgreSQL 18.
KEEP_LATEST = text("""
    INSERT INTO patient_state AS stored
    SELECT *, CASE WHEN counted < version THEN now() END FROM unnest(
        CAST(:patient_id AS uuid[]), CAST(:version AS bigint[]), CAST(:event_id AS bigint[]), CAST(:status AS text[]),
        CAST(:sex AS text[]), CAST(:birth_year AS integer[]), CAST(:region AS text[]), CAST(:registered_on AS date[]),
        CAST(:registered_through AS text[]), CAST(:registered_at AS timestamptz[]), CAST(:counted AS bigint[])
    ) AS read (patient_id, version, event_id, status, sex, birth_year, region, registered_on, registered_through,
        registered_at, counted) ORDER BY patient_id
    ON CONFLICT (patient_id) DO UPDATE SET
        (version, event_id, status, sex, birth_year, region, registered_on, registered_through) = (
            SELECT * FROM (VALUES
                (stored.version, stored.event_id, stored.status, stored.sex, stored.birth_year, stored.region,
                 stored.registered_on, stored.registered_through),
                (excluded.version, excluded.event_id, excluded.status, excluded.sex, excluded.birth_year,
                 excluded.region, excluded.registered_on, excluded.registered_through)
            ) AS state (version, event_id) ORDER BY version DESC, event_id DESC LIMIT 1
        ),
        registered_at = least(stored.registered_at, excluded.registered_at),
        counted = stored.counted + excluded.counted,
        gap_since = CASE WHEN stored.counted + excluded.counted < greatest(stored.version, excluded.version)
            THEN coalesce(stored.gap_since, now()) END
    RETURNING new.patient_id::text, old.version, old.event_id, old.status, old.sex, old.birth_year, old.region,
        old.registered_on, old.registered_through, old.registered_at
""")
KEEP_OFFSETS = text("""
    INSERT INTO read_offset AS stored
    SELECT * FROM unnest(CAST(:topics AS text[]), CAST(:partitions AS integer[]), CAST(:offsets AS bigint[]),
        CAST(:openings AS bytea[])) AS read (topic, partition) ORDER BY topic, partition
    ON CONFLICT (topic, partition) DO UPDATE SET
        next_offset = greatest(stored.next_offset, excluded.next_offset),
        opening = coalesce(excluded.opening, stored.opening)
    RETURNING new.topic, new.partition, old.next_offset
""")
FORGET_OFFSET = text("DELETE FROM read_offset WHERE topic = :topic AND partition = :partition")
KEPT = text("SELECT topic, partition, next_offset, opening FROM read_offset")
ADD_UP = text("""
    INSERT INTO figure AS stored (name, bucket, count)
    SELECT * FROM unnest(CAST(:names AS text[]), CAST(:buckets AS text[]), CAST(:steps AS bigint[]))
        AS step (name, bucket) ORDER BY name, bucket
    ON CONFLICT (name, bucket) DO UPDATE SET count = stored.count + excluded.count
""")
KEEP_LAST = text("UPDATE last_event SET occurred_at = greatest(occurred_at, :occurred_at)")
READ = text("""
    SELECT name, bucket, count FROM figure
    WHERE count <> 0 AND (
        name IN ('status', 'events', 'birth_year', 'sex', 'source')
        OR name = 'registered_on' AND bucket BETWEEN :first_day AND :last_day
        OR name = 'registered_at' AND bucket BETWEEN :first_hour AND :last_hour
        OR name = 'registered_minute' AND bucket BETWEEN :first_registration AND :last_registration
        OR name = 'minute' AND bucket BETWEEN :first_minute AND :last_minute)
    UNION ALL
    SELECT 'event_hour', left(bucket, 13), sum(count)::bigint FROM figure
    WHERE name = 'quarter' AND bucket BETWEEN :first_event_hour AND :now GROUP BY 2
    UNION ALL
    SELECT 'event_day', (CAST(:days AS text[]))[width_bucket(bucket, CAST(:firsts AS text[]) COLLATE "C")],
        sum(count)::bigint
    FROM figure WHERE name = 'quarter' AND bucket BETWEEN :first_quarter AND :now GROUP BY 2
    UNION ALL
    (SELECT name, bucket, count FROM figure WHERE name = 'region' AND count <> 0
     ORDER BY count DESC, bucket LIMIT :regions)
""")
LAST = text("SELECT occurred_at FROM last_event")


@dataclass(frozen=True, slots=True)
class Reading:
    """All counts as they stood at one moment, and of how many patients an event is missing in them."""

    counts: Counts
    last_event_at: datetime | None
    gaps: int


class Store:
    """The counts in PostgreSQL. Calls block and may be made from several threads."""

    def __init__(self, url: URL) -> None:
        self.engine = open_engine(url)

    def count(self, events: Sequence[Event], bookmarks: Sequence[Bookmark] = ()) -> int:
        """Count each event that was not counted yet and move the bookmarks, all or none; answers how many were new.

        Late, repeated and out-of-order events give the same counts. Raises StoreAway, Refused or OffsetsLost.
        """
        try:
            with self.engine.begin() as connection:
                _keep_offsets(connection, bookmarks)
                return _count(connection, events)
        except (SQLAlchemyError, ValueError) as error:
            raise told(error) from error

    def keep(self, bookmarks: Sequence[Bookmark]) -> None:
        """Move the bookmarks; everything before them is counted or set aside. Raises StoreAway or OffsetsLost."""
        try:
            with self.engine.begin() as connection:
                _keep_offsets(connection, bookmarks)
        except SQLAlchemyError as error:
            raise StoreAway(type(error).__name__) from error

    def kept(self) -> dict[Partition, Kept]:
        """How far each partition was read, and what it began with. Raises StoreAway."""
        try:
            with self.engine.connect() as connection:
                return {
                    (topic, partition): _kept(*facts)
                    for topic, partition, *facts in connection.execute(KEPT)
                }
        except SQLAlchemyError as error:
            raise StoreAway(type(error).__name__) from error

    def read(self, *, now: datetime, today: date) -> Reading:
        """What `figures.draw_figures` needs for this time, told by the clinic's clock. Raises StoreAway."""
        try:
            with self.engine.connect().execution_options(
                isolation_level="REPEATABLE READ"
            ) as connection:
                counts = _counts(connection, now, today)
                gaps = connection.execute(COUNT_GAPS, {"age": gap_age()}).scalar_one()
                return Reading(counts, connection.execute(LAST).scalar_one(), gaps)
        except SQLAlchemyError as error:
            raise StoreAway(type(error).__name__) from error

    def close(self) -> None:
        self.engine.dispose()


def _count(connection: Connection, events: Sequence[Event]) -> int:
    by_key = {(event.state.patient_id, event.event_id): event for event in events}
    fresh = [
        by_key[patient_id, event_id]
        for patient_id, event_id in _take_in(connection, by_key.values())
    ]
    if fresh:
        steps = event_counts(fresh)
        _keep_latest(connection, fresh, steps)
        _add_up(connection, steps)
        connection.execute(KEEP_LAST, {"occurred_at": max(event.occurred_at for event in fresh)})
    return len(fresh)


def _kept(next_offset: int, opening: memoryview | None) -> Kept:
    return Kept(next_offset, None if opening is None else bytes(opening))


def _keep_offsets(connection: Connection, bookmarks: Sequence[Bookmark]) -> None:
    if not bookmarks:
        return
    for topic, partition, kept, *_ in bookmarks:
        if kept is None:  # What is kept may be of a longer topic, that is gone.
            connection.execute(FORGET_OFFSET, {"topic": topic, "partition": partition})
    columns = {
        "topics": [bookmark.topic for bookmark in bookmarks],
        "partitions": [bookmark.partition for bookmark in bookmarks],
        "offsets": [bookmark.next_offset for bookmark in bookmarks],
        "openings": [bookmark.opening for bookmark in bookmarks],
    }
    stored = {
        (topic, partition): offset
        for topic, partition, offset in connection.execute(KEEP_OFFSETS, columns)
    }
    for topic, partition, kept, *_ in bookmarks:
        if kept is not None and (stored[topic, partition] or 0) < kept:
            raise OffsetsLost


def _take_in(connection: Connection, events: Collection[Event]) -> Iterable[tuple[str, int]]:
    columns = {
        "patient_ids": [event.state.patient_id for event in events],
        "event_ids": [event.event_id for event in events],
        "times": [event.occurred_at for event in events],
    }
    return ((patient_id, event_id) for patient_id, event_id in connection.execute(TAKE_IN, columns))


def _keep_latest(connection: Connection, fresh: Sequence[Event], steps: Counter[Place]) -> None:
    states = latest_states(fresh)
    counted = Counter(event.state.patient_id for event in fresh)
    columns = dict(zip(State._fields, map(list, zip(*states, strict=True)), strict=True))
    columns["counted"] = [counted[state.patient_id] for state in states]
    read = {state.patient_id: state for state in states}
    for patient_id, *facts in connection.execute(KEEP_LATEST, columns):
        new, old = read[patient_id], None
        if facts[0] is not None:  # The version: this patient was known.
            old = State(patient_id, *facts)
            new = latest(old, new)
        for place, step in changes(old, new):
            steps[place] += step


def _add_up(connection: Connection, steps: Counter[Place]) -> None:
    places = [place for place, step in steps.items() if step]
    columns = {
        "names": [name for name, _ in places],
        "buckets": [bucket for _, bucket in places],
        "steps": [steps[place] for place in places],
    }
    connection.execute(ADD_UP, columns)


def _counts(connection: Connection, now: datetime, today: date) -> Counts:
    counts: dict[str, dict[str, int]] = defaultdict(dict)
    for name, bucket, count in connection.execute(READ, _windows(now, today)):
        counts[name][bucket] = count
    return counts


def _windows(now: datetime, today: date) -> dict[str, Any]:
    """The values of READ. The days of events are those of the clock that `now` is told by."""
    windows: Iterable[tuple[str, list[str]]] = (
        ("day", last_days(DAYS, today)),
        ("hour", last_hours(HOURS, now)),
        ("registration", last_minutes(REGISTRATION_MINUTES, now)),
        ("minute", last_minutes(MINUTES, now)),
        ("event_hour", last_hours(EVENT_HOURS, now)),
    )
    ends = {
        f"{end}_{unit}": window[at]
        for unit, window in windows
        for end, at in (("first", 0), ("last", -1))
    }
    days = last_days(EVENT_DAYS, today)
    firsts = first_quarters(days, now.tzinfo)
    events = {"days": days, "firsts": firsts, "first_quarter": firsts[0], "now": minute_of(now)}
    return {**ends, **events, "regions": REGIONS}
