"""The ranges of time that the dashboard can show, and what is said of the registrations in one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Range:
    """A range by its word in the address: so many points of one grain, and the figures that have them."""

    key: str
    label: str
    last: str
    before: str
    grain: str
    points: int
    registrations: str
    changes: str
    note: str = ""


AS_THEY_COME = (
    "Counted when they came in, an import's older records too. The tiles above count the day of registration "
    "that the record gives."
)
RANGES = {
    one.key: one
    for one in (
        Range(
            "1h", "1 hour", "last hour", "hour before", "minute", 60,
            "registrationsByMinute", "eventsByMinute", note=AS_THEY_COME,
        ),
        Range(
            "24h", "24 hours", "last 24 hours", "24 hours before", "hour", 24,
            "registrationsByHour", "eventsByHour", note=AS_THEY_COME,
        ),
        Range(
            "30d", "30 days", "last 30 days", "30 days before", "day", 30,
            "registrationsByDay", "eventsByDay",
            note="Days are those that the records give as registered on: an import keeps the days of the older system.",
        ),
    )
}  # fmt: skip
USUAL = RANGES["24h"]


def range_of(key: str | None) -> Range:
    """The range of an address; the usual one for no word and for an unknown one."""
    return RANGES.get(key or "", USUAL)


def sentence(figures: Mapping[str, Any], shown: Range) -> str:
    """How many registrations, and how that compares; the minute, hour or day that has just begun counts as one."""
    counts = [point["count"] for point in figures.get(shown.registrations, ())]
    last, before = sum(counts[-shown.points :]), counts[-2 * shown.points : -shown.points]
    told = f"{last:,} registration{'' if last == 1 else 's'}" if last else "No registrations"
    if len(before) < shown.points:
        return f"{told} in the {shown.last}."
    return f"{told} in the {shown.last}, {_compared(last, sum(before))} the {shown.before}."


def _compared(last: int, before: int) -> str:
    if last == before:
        return "as many as in" if last else "and none in"
    if not before:
        return "after none in"
    if not last:
        return f"after {before:,} in"
    percent = round(100 * abs(last - before) / before)
    word = "more" if last > before else "fewer"
    return (
        f"{percent:,} % {word} than the {before:,} in"
        if percent
        else f"nearly as many as the {before:,} in"
    )
