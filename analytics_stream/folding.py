"""The rules of counting: they decode an event, choose the latest state, and tell how counts change.

They know neither the broker nor SQL.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

from google.protobuf.message import DecodeError

from protos.patient.events.v1.patient_event_pb2 import PatientEvent

STATUSES = ("active", "archived", "merged", "deleted")
SEXES = ("female", "male", "other", "unknown")
UNKNOWN = "unknown"
# Characters of a region or source. An index entry of PostgreSQL takes 2,700 bytes, and a longer
# word would be refused there for ever.
LONGEST_WORD = 200
TEXTS = 10_000  # Different days, regions and sources that are kept as they were read.
_HOUR = len("2026-04-05T06")  # The part of a minute's name that is its hour's.
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_USUAL_UUID = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")

Place = tuple[str, str]
"""Which count: the figure's name, and the bucket in it."""


class Undecodable(Exception):
    """A message breaks the contract of protos/patient/events/v1.

    The text names the field, never its value.
    """


class State(NamedTuple):
    """The facts about a patient that the figures need.

    `registered_at` is the time of version 1, and None until that version was read.
    `birth_year` is 0 when unknown; texts are `UNKNOWN` then.
    """

    patient_id: str
    version: int
    event_id: int
    status: str
    sex: str
    birth_year: int
    region: str
    registered_on: date | None
    registered_through: str
    registered_at: datetime | None


_FIRST_FACT = State._fields.index("status")  # Figures depend on it and what follows.


class Event(NamedTuple):
    """A change of one patient, and the state it led to."""

    event_id: int
    occurred_at: datetime
    state: State


def decode(value: bytes | None) -> Event:
    """Returns the event in a message of the topic. Raises Undecodable."""
    if value is None:
        raise Undecodable("the message has no value")
    try:
        message = PatientEvent.FromString(value)
    except DecodeError:
        raise Undecodable("the value is not a PatientEvent") from None
    occurred_at = _occurred_at(message)
    return Event(_positive(message.event_id, "event_id"), occurred_at, _state(message, occurred_at))


def _state(message: PatientEvent, occurred_at: datetime) -> State:
    version = _positive(message.version, "version")
    return State(
        patient_id=_patient_id(message.patient_id),
        version=version,
        event_id=message.event_id,
        status=_status(message.status),
        sex=message.sex if message.sex in SEXES else UNKNOWN,
        birth_year=_birth_year(message.birth_year),
        region=_word(message.region, "region") or UNKNOWN,
        registered_on=_day(message.registered_on),
        registered_through=_word(message.registered_through, "registered_through") or UNKNOWN,
        registered_at=occurred_at if version == 1 else None,
    )


def _positive(number: int, field: str) -> int:
    if number < 1:
        raise Undecodable(f"{field} is missing")
    return number


def _occurred_at(message: PatientEvent) -> datetime:
    if not message.HasField("occurred_at"):
        raise Undecodable("occurred_at is missing")
    at = message.occurred_at
    try:
        if at.seconds >= 0 and 0 <= at.nanos < 1_000_000_000:
            return _EPOCH + timedelta(seconds=at.seconds, microseconds=at.nanos // 1_000)
        return at.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise Undecodable("occurred_at is out of range") from None


def _patient_id(text: str) -> str:
    if _USUAL_UUID.fullmatch(text):
        return text
    try:
        return str(UUID(text))
    except ValueError:
        raise Undecodable("patient_id is not a UUID") from None


def _status(text: str) -> str:
    if text not in STATUSES:
        raise Undecodable("status is none of active, archived, merged and deleted")
    return text


def _birth_year(year: int) -> int:
    if year > 9999:
        raise Undecodable("birth_year is out of range")
    return year


@lru_cache(TEXTS)
def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text) if text else None
    except ValueError:
        day = None
    if text and (day is None or day.isoformat() != text):
        raise Undecodable("registered_on is not an ISO 8601 day")
    return day


@lru_cache(TEXTS)
def _word(text: str, field: str) -> str:
    word = text.strip()
    if "\0" in word or len(word) > LONGEST_WORD:
        raise Undecodable(f"{field} is too long or holds a NUL character")
    return word


def latest(first: State, second: State) -> State:
    """Returns the state that is true when both were read, in any order and any number of times.

    The higher version wins, then the higher event number. The time of version 1 is taken from
    either.
    """
    winner = max(first, second, key=lambda state: (state.version, state.event_id))
    times = [state.registered_at for state in (first, second) if state.registered_at]
    return winner._replace(registered_at=min(times, default=None))


def latest_states(events: Iterable[Event]) -> list[State]:
    """Returns one state for each patient in `events`."""
    states: dict[str, State] = {}
    for event in events:
        known = states.get(event.state.patient_id)
        states[event.state.patient_id] = latest(known, event.state) if known else event.state
    return list(states.values())


def places(states: Iterable[State]) -> Iterator[tuple[str, Iterable[str]]]:
    """Yields each figure in which these patients are counted, with the bucket of each patient.

    A deleted patient is counted nowhere, an archived or merged one in status and registrations
    only.
    """
    known = [state for state in states if state.status != "deleted"]
    active = [state for state in known if state.status == "active"]
    minutes = [minute_of(state.registered_at) for state in known if state.registered_at]
    yield "status", [state.status for state in known]
    yield "registered_on", [day.isoformat() for state in known if (day := state.registered_on)]
    yield "registered_at", [minute[:_HOUR] for minute in minutes]
    yield "registered_minute", minutes
    yield "sex", [state.sex for state in active]
    yield "birth_year", [f"{state.birth_year:04}" for state in active]
    yield "region", [state.region for state in active]
    yield "source", [state.registered_through for state in active]


def add_changes(steps: Counter[Place], changes: Iterable[tuple[State | None, State]]) -> None:
    """Adds to `steps` what each change from an old to a new state adds to the counts."""
    left: list[State] = []
    entered: list[State] = []
    for old, new in changes:
        if old is None:
            entered.append(new)
        elif old[_FIRST_FACT:] != new[_FIRST_FACT:]:
            left.append(old)
            entered.append(new)
    for states, sign in ((entered, 1), (left, -1)):
        for name, buckets in places(states):
            for bucket, count in Counter(buckets).items():
                steps[name, bucket] += sign * count


def event_counts(events: Collection[Event]) -> Counter[Place]:
    """Returns what new events add to the counts of events, whatever they tell of their patients."""
    minutes = Counter(minute_of(event.occurred_at) for event in events)
    counts: Counter[Place] = Counter({("events", ""): len(events)})
    for minute, count in minutes.items():
        counts["minute", minute] += count
        counts["quarter", _quarter(minute)] += count
    return counts


def hour_of(time: datetime) -> str:
    """Returns the hour's name, which sorts by time: 2026-04-05T06."""
    return minute_of(time)[:_HOUR]


def quarter_of(time: datetime) -> str:
    """Returns the quarter of an hour by the name of its first minute.

    The day of every time zone begins with a quarter.
    """
    return _quarter(minute_of(time))


def minute_of(time: datetime) -> str:
    """Returns the minute's name: 2026-04-05T06:07."""
    return time.astimezone(UTC).isoformat()[:16]


def _quarter(minute: str) -> str:
    past = int(minute[14:])
    return f"{minute[:14]}{past - past % 15:02}"
