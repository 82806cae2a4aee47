"""The ranges of time that the dashboard can show, and a sentence about the registrations in one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Range:
    """A range of time: so many points of a grain.

    `key` is its value in the address. `registrations` and `changes` name the series with its
    points. `last` and `before` name it and the range before it in a sentence.
    """

    key: str
    label: str
    last: str
    before: str
    grain: str
    points: int
    registrations: str
    changes: str
    note: str


COUNTED_ON_ARRIVAL = (
    "Counted when they came in, an import's older records too. "
    "The tiles above count the day of registration that the record gives."
)
COUNTED_BY_DAY = (
    "Days are those that the records give as registered on: "
    "an import keeps the days of the older system."
)
LAST_HOUR = Range(
    key="1h",
    label="1 hour",
    last="last hour",
    before="hour before",
    grain="minute",
    points=60,
    registrations="registrationsByMinute",
    changes="eventsByMinute",
    note=COUNTED_ON_ARRIVAL,
)
LAST_24_HOURS = Range(
    key="24h",
    label="24 hours",
    last="last 24 hours",
    before="24 hours before",
    grain="hour",
    points=24,
    registrations="registrationsByHour",
    changes="eventsByHour",
    note=COUNTED_ON_ARRIVAL,
)
LAST_30_DAYS = Range(
    key="30d",
    label="30 days",
    last="last 30 days",
    before="30 days before",
    grain="day",
    points=30,
    registrations="registrationsByDay",
    changes="eventsByDay",
    note=COUNTED_BY_DAY,
)
DEFAULT = LAST_24_HOURS
RANGES = {each.key: each for each in (LAST_HOUR, LAST_24_HOURS, LAST_30_DAYS)}


def find_range(key: str | None) -> Range:
    """Returns the range with this key, or the default for an unknown or missing key."""
    return RANGES.get(key or "", DEFAULT)


def summarize(figures: Mapping[str, Any], selected: Range) -> str:
    """Returns how many registrations there were in the range, compared with the range before.

    The minute, hour or day that has just begun counts as a whole point.
    """
    counts = [point["count"] for point in figures.get(selected.registrations, ())]
    points = selected.points
    last, before = sum(counts[-points:]), counts[-2 * points : -points]
    number = f"{last:,} registration{'' if last == 1 else 's'}" if last else "No registrations"
    if len(before) < points:
        return f"{number} in the {selected.last}."
    return f"{number} in the {selected.last}, {_compare(last, sum(before))} the {selected.before}."


def _compare(last: int, before: int) -> str:
    if last == before:
        return "as many as in" if last else "and none in"
    if not before:
        return "after none in"
    if not last:
        return f"after {before:,} in"
    percent = round(100 * abs(last - before) / before)
    if not percent:
        return f"nearly as many as the {before:,} in"
    word = "more" if last > before else "fewer"
    return f"{percent:,} % {word} than the {before:,} in"
