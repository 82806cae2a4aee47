"""The figures' database: each batch of events is counted in one transaction, in set-based SQL."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import URL, Connection
from sqlalchemy.exc import SQLAlchemyError

from analytics_stream.arrays import array_of, quoted, state_columns
from analytics_stream.database import OffsetsLost, StoreAway, open_engine, translate_error
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
    add_changes,
    event_counts,
    latest,
    latest_states,
    minute_of,
)
from analytics_stream.offsets import OffsetUpdate, Partition, StoredOffset
from analytics_stream.state_export import COUNT_GAPS, shortest_gap_age
from analytics_stream.statements import (
    ADD_COUNTS,
    DELETE_OFFSET,
    INSERT_EVENTS,
    SELECT_COUNTS,
    SELECT_LAST_EVENT,
    SELECT_OFFSETS,
    UPDATE_LAST_EVENT,
    UPSERT_OFFSETS,
    UPSERT_STATES,
)


@dataclass(frozen=True, slots=True)
class CountSnapshot:
    """All counts at one moment; `gaps` is the number of patients with an event missing in them."""

    counts: Counts
    last_event_at: datetime | None
    gaps: int


class Store:
    """The counts in PostgreSQL. Calls block and may be made from several threads."""

    def __init__(self, url: URL) -> None:
        self.engine = open_engine(url)

    def count(self, events: Sequence[Event], updates: Sequence[OffsetUpdate] = ()) -> int:
        """Counts each event that was not counted yet and moves the offsets, all or nothing.

        Returns how many events were new. Late, repeated and out-of-order events give the same
        counts. Raises StoreAway, Refused or OffsetsLost.
        """
        try:
            with self.engine.begin() as connection:
                _save_offsets(connection, updates)
                return _count(connection, events)
        except (SQLAlchemyError, ValueError) as error:
            raise translate_error(error) from error

    def save_offsets(self, updates: Sequence[OffsetUpdate]) -> None:
        """Moves the offsets; everything before them is counted or set aside.

        Raises StoreAway or OffsetsLost.
        """
        try:
            with self.engine.begin() as connection:
                _save_offsets(connection, updates)
        except SQLAlchemyError as error:
            raise StoreAway(type(error).__name__) from error

    def read_offsets(self) -> dict[Partition, StoredOffset]:
        """Returns the stored offset of each partition. Raises StoreAway."""
        try:
            with self.engine.connect() as connection:
                rows = connection.execute(SELECT_OFFSETS).all()
        except SQLAlchemyError as error:
            raise StoreAway(type(error).__name__) from error
        return {
            (topic, partition): StoredOffset(
                next_offset, None if opening is None else bytes(opening)
            )
            for topic, partition, next_offset, opening in rows
        }

    def read(self, *, now: datetime, today: date) -> CountSnapshot:
        """Returns what `figures.draw_figures` needs for this time of the clinic's clock.

        Raises StoreAway.
        """
        try:
            with self.engine.connect().execution_options(
                isolation_level="REPEATABLE READ"
            ) as connection:
                counts = _read_counts(connection, now, today)
                gaps = connection.execute(COUNT_GAPS, {"age": shortest_gap_age()}).scalar_one()
                last_event_at = connection.execute(SELECT_LAST_EVENT).scalar_one()
                return CountSnapshot(counts, last_event_at, gaps)
        except SQLAlchemyError as error:
            raise StoreAway(type(error).__name__) from error

    def close(self) -> None:
        self.engine.dispose()


def _count(connection: Connection, events: Sequence[Event]) -> int:
    by_key = {(event.state.patient_id, event.event_id): event for event in events}
    fresh = [by_key[key] for key in _insert_events(connection, by_key.values())]
    if fresh:
        steps = event_counts(fresh)
        _update_states(connection, fresh, steps)
        _add_counts(connection, steps)
        last = max(event.occurred_at for event in fresh)
        connection.execute(UPDATE_LAST_EVENT, {"occurred_at": last})
    return len(fresh)


def _save_offsets(connection: Connection, updates: Sequence[OffsetUpdate]) -> None:
    if not updates:
        return
    for update in updates:
        if update.stored is None:  # The stored offset may be of a longer topic that is gone.
            place = {"topic": update.topic, "partition": update.partition}
            connection.execute(DELETE_OFFSET, place)
    columns = {
        "topics": [update.topic for update in updates],
        "partitions": [update.partition for update in updates],
        "offsets": [update.next_offset for update in updates],
        "fingerprints": [update.fingerprint for update in updates],
    }
    before = {
        (topic, partition): offset
        for topic, partition, offset in connection.execute(UPSERT_OFFSETS, columns)
    }
    for update in updates:
        offset = before[update.topic, update.partition] or 0
        if update.stored is not None and offset < update.stored:
            raise OffsetsLost


def _insert_events(connection: Connection, events: Collection[Event]) -> Iterable[tuple[str, int]]:
    """Inserts the events and returns the keys (patient, event) of those that are new."""
    columns = {
        "patient_ids": array_of(event.state.patient_id for event in events),
        "event_ids": array_of(str(event.event_id) for event in events),
        "times": array_of(event.occurred_at.isoformat() for event in events),
    }
    known = {(row[0], row[1]) for row in connection.execute(INSERT_EVENTS, columns)}
    keys = [(event.state.patient_id, event.event_id) for event in events]
    return [key for key in keys if key not in known] if known else keys


def _update_states(connection: Connection, fresh: Sequence[Event], steps: Counter[Place]) -> None:
    """Stores the latest state of each patient and adds to `steps` what that changes."""
    states = latest_states(fresh)
    if len(states) == len(fresh):
        counts = ["1"] * len(states)
    else:
        counted = Counter(event.state.patient_id for event in fresh)
        counts = [str(counted[state.patient_id]) for state in states]
    columns = {**state_columns(states), "counted": array_of(counts)}
    known = {row[0]: State._make(row) for row in connection.execute(UPSERT_STATES, columns)}
    changes: list[tuple[State | None, State]] = []
    for new in states:
        old = known.get(new.patient_id)
        changes.append((old, latest(old, new) if old else new))
    add_changes(steps, changes)


def _add_counts(connection: Connection, steps: Counter[Place]) -> None:
    places = [place for place, step in steps.items() if step]
    columns = {
        "names": array_of(name for name, _ in places),
        "buckets": array_of(quoted(bucket) for _, bucket in places),
        "steps": array_of(str(steps[place]) for place in places),
    }
    connection.execute(ADD_COUNTS, columns)


def _read_counts(connection: Connection, now: datetime, today: date) -> Counts:
    counts: dict[str, dict[str, int]] = defaultdict(dict)
    for name, bucket, count in connection.execute(SELECT_COUNTS, _windows(now, today)):
        counts[name][bucket] = count
    return counts


def _windows(now: datetime, today: date) -> dict[str, Any]:
    """Returns the parameters of SELECT_COUNTS. Days of events begin by the time zone of `now`."""
    days = last_days(EVENT_DAYS, today)
    firsts = first_quarters(days, now.tzinfo)
    values = {
        "days": days,
        "firsts": firsts,
        "first_quarter": firsts[0],
        "now": minute_of(now),
        "regions": REGIONS,
    }
    windows = {
        "day": last_days(DAYS, today),
        "hour": last_hours(HOURS, now),
        "registration": last_minutes(REGISTRATION_MINUTES, now),
        "minute": last_minutes(MINUTES, now),
        "event_hour": last_hours(EVENT_HOURS, now),
    }
    for unit, window in windows.items():
        values[f"first_{unit}"], values[f"last_{unit}"] = window[0], window[-1]
    return values
