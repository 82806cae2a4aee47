"""The figures in the words and shapes of the dashboard: tiles, time lines and bars, each of which is a table too."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils import timezone

BEHIND_SECONDS = 5
NAMES = {
    "female": "Female", "male": "Male", "other": "Other", "unknown": "Not recorded", "": "Not recorded",
    "portal": "Staff pages", "api": "API", "admin": "Admin", "import": "Import", "command": "Command",
    "pending": "Pending", "active": "Active", "failed": "Failed", "closed": "Closed",
}  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One point or bar; `share` is its part of the largest one, in per cent."""

    name: str
    count: int
    share: float = 0


@dataclass(frozen=True)
class Drawing:
    """A figure by its key, with its rows in order."""

    key: str
    title: str
    column: str
    rows: Sequence[Row]


def drawn(figures: Mapping[str, Any]) -> dict[str, Any]:
    """The context of `analytics/figures.html`."""
    totals, billing = figures["totals"], figures.get("billing", {})
    return {
        "state": _state(figures),
        "as_of": datetime.fromisoformat(figures["asOf"]),
        "lag_seconds": figures["lagSeconds"],
        "tiles": [
            ("active", "Active patients", totals["active"]),
            ("today", "Registered today", totals["registeredToday"]),
            ("week", "Last 7 days", totals["registered7Days"]),
            ("month", "Last 30 days", totals["registered30Days"]),
            ("pending", "Billing pending", billing.get("pending", 0)),
            ("events", "Events counted", totals["events"]),
        ],
        "lines": [
            Drawing("days", "Registrations by day, last 90 days", "Day", _days(figures["registrationsByDay"])),
            Drawing("minutes", "Changes by minute, last hour", "Minute", _minutes(figures["eventsByMinute"])),
            Drawing("hours", "Registrations by hour, last 48 hours", "Hour", _hours(figures["registrationsByHour"])),
        ],
        "bars": [
            Drawing("regions", "By state or region, largest 20", "Region", _bars(figures["byRegion"])),
            Drawing("ages", "By age", "Years", _bars(figures["byAgeBand"])),
            Drawing("sexes", "By sex", "Sex", _bars(figures["bySex"])),
            Drawing("sources", "By the door they came through", "Door", _bars(figures["bySource"])),
            Drawing("billing", "Billing accounts", "State", _bars(billing)),
        ],
    }  # fmt: skip


def _state(figures: Mapping[str, Any]) -> str:
    if figures.get("stale"):
        return "stale"
    return "behind" if (figures["lagSeconds"] or 0) > BEHIND_SECONDS else "live"


def _minutes(series: Sequence[Mapping[str, Any]]) -> list[Row]:
    return [Row(_local(point).strftime("%H:%M"), point["count"]) for point in series]


def _hours(series: Sequence[Mapping[str, Any]]) -> list[Row]:
    return [Row(_local(point).strftime("%a %H:%M"), point["count"]) for point in series]


def _local(point: Mapping[str, Any]) -> datetime:
    return timezone.localtime(datetime.fromisoformat(point["at"]))


def _days(series: Sequence[Mapping[str, Any]]) -> list[Row]:
    return [Row(date.fromisoformat(point["day"]).strftime("%d-%b-%Y"), point["count"]) for point in series]


def _bars(counts: Mapping[str, int]) -> list[Row]:
    largest = max(counts.values(), default=0) or 1
    return [Row(NAMES.get(name, name), count, round(100 * count / largest, 1)) for name, count in counts.items()]
