"""Draws the figures that the portal shows from counts, for the day on which they are read."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from hashlib import blake2b
from typing import Any

from analytics_stream.folding import SEXES, UNKNOWN, hour_of, minute_of, quarter_of

# Points of each series. Those of registrations are at least twice the range that the dashboard
# shows, so that it can compare a range with the one before.
DAYS = 90
HOURS = 48
REGISTRATION_MINUTES = 120
EVENT_DAYS = 30
EVENT_HOURS = 24
MINUTES = 60  # of events
REGIONS = 20  # The largest regions are shown.
AGE_BANDS = (
    (0, 17, "0-17"),
    (18, 39, "18-39"),
    (40, 64, "40-64"),
    (65, 79, "65-79"),
    (80, 9999, "80+"),
)

Counts = Mapping[str, Mapping[str, int]]
"""Counts by figure and bucket, as `folding` names them. A missing count is 0."""


def draw_figures(counts: Counts, *, now: datetime, today: date) -> dict[str, Any]:
    """Returns the figures, ready for JSON. `now` has a time zone; `today` is the clinic's day.

    Registrations count every patient who is not deleted; age, sex, region and source count the
    active ones. Series are lists of {"day" or "at", "count"} without gaps, oldest first;
    breakdowns are objects of counts.
    """
    days = counts.get("registered_on", {})
    return {
        "totals": {
            **{
                status: counts.get("status", {}).get(status, 0)
                for status in ("active", "archived", "merged")
            },
            "registeredToday": _in_last_days(days, 1, today),
            "registered7Days": _in_last_days(days, 7, today),
            "registered30Days": _in_last_days(days, 30, today),
            "events": counts.get("events", {}).get("", 0),
        },
        "registrationsByDay": _by_day(days, last_days(DAYS, today)),
        "registrationsByHour": _series(
            counts.get("registered_at", {}), last_hours(HOURS, now), ":00:00Z"
        ),
        "registrationsByMinute": _series(
            counts.get("registered_minute", {}), last_minutes(REGISTRATION_MINUTES, now), ":00Z"
        ),
        "eventsByDay": _by_day(counts.get("event_day", {}), last_days(EVENT_DAYS, today)),
        "eventsByHour": _series(
            counts.get("event_hour", {}), last_hours(EVENT_HOURS, now), ":00:00Z"
        ),
        "eventsByMinute": _series(counts.get("minute", {}), last_minutes(MINUTES, now), ":00Z"),
        "byAgeBand": _by_age_band(counts.get("birth_year", {}), today.year),
        "bySex": {sex: counts.get("sex", {}).get(sex, 0) for sex in SEXES},
        "byRegion": _largest(counts.get("region", {}), limit=REGIONS),
        "bySource": _largest(counts.get("source", {}), limit=REGIONS),
    }


def tag_of(figures: Mapping[str, Any]) -> str:
    """Returns the value of a weak entity tag (RFC 9110): it changes with the figures, not with the
    clock."""
    text = json.dumps(
        {name: value for name, value in figures.items() if name != "asOf"}, sort_keys=True
    )
    return blake2b(text.encode(), digest_size=12).hexdigest()


def last_days(number: int, today: date) -> list[str]:
    """Returns the last `number` days as ISO 8601, oldest first, today last."""
    return [(today - timedelta(days=ago)).isoformat() for ago in reversed(range(number))]


def last_hours(number: int, now: datetime) -> list[str]:
    return [hour_of(time) for time in _back_from(now, number, timedelta(hours=1))]


def last_minutes(number: int, now: datetime) -> list[str]:
    return [minute_of(time) for time in _back_from(now, number, timedelta(minutes=1))]


def first_quarters(days: Sequence[str], zone: tzinfo | None) -> list[str]:
    """Returns the first quarter of an hour of each day, by the clock of this time zone."""
    return [quarter_of(datetime.combine(date.fromisoformat(day), time(), zone)) for day in days]


def _back_from(now: datetime, number: int, step: timedelta) -> Iterator[datetime]:
    now = now.astimezone(UTC)  # By the clinic's clock an hour comes twice in autumn.
    return (now - ago * step for ago in reversed(range(number)))


def _in_last_days(days: Mapping[str, int], number: int, today: date) -> int:
    return sum(days.get(day, 0) for day in last_days(number, today))


def _by_day(counts: Mapping[str, int], days: list[str]) -> list[dict[str, Any]]:
    return [{"day": day, "count": counts.get(day, 0)} for day in days]


def _series(counts: Mapping[str, int], buckets: list[str], ending: str) -> list[dict[str, Any]]:
    return [{"at": bucket + ending, "count": counts.get(bucket, 0)} for bucket in buckets]


def _by_age_band(years: Mapping[str, int], this_year: int) -> dict[str, int]:
    """Counts the age that is reached this year, because only the year of birth is known."""
    bands = {name: 0 for _, _, name in AGE_BANDS} | {UNKNOWN: 0}
    for year, count in years.items():
        bands[_age_band(int(year), this_year)] += count
    return bands


def _age_band(year: int, this_year: int) -> str:
    age = this_year - year if year else -1
    return next(
        (name for youngest, oldest, name in AGE_BANDS if youngest <= age <= oldest), UNKNOWN
    )


def _largest(counts: Mapping[str, int], *, limit: int) -> dict[str, int]:
    """Returns the `limit` largest counts, largest first."""
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:limit])
