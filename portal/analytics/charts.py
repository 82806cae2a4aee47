"""The figures in the words and shapes of the dashboard: tiles, time lines and bars, each of which is a table too."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils import timezone

from portal.analytics.ranges import Range, sentence

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


def drawn(figures: Mapping[str, Any], shown: Range, *, regions: int = 20) -> dict[str, Any]:
    """The context of `analytics/figures.html`, with the time lines of one range and the largest regions."""
    totals, billing = figures["totals"], figures.get("billing", {})
    by_region = _bars(_largest_first(figures["byRegion"]))
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
        "range": shown,
        "sentence": sentence(figures, shown),
        "lines": [
            _line("registrations", figures.get(shown.registrations, ()), shown),
            _line("changes", figures.get(shown.changes, ()), shown),
        ],
        "bars": [
            Drawing("regions", f"By region, largest {regions}", "Region", by_region[:regions]),
            Drawing("ages", "By age", "Years", _bars(dict(sorted(figures["byAgeBand"].items())))),
            Drawing("sexes", "By sex", "Sex", _bars(_in_usual_order(figures["bySex"]))),
            Drawing("sources", "Registered through", "Door", _bars(_largest_first(figures["bySource"]))),
            Drawing("billing", "Billing accounts", "State", _bars(_in_usual_order(billing))),
        ],
    }  # fmt: skip


def _state(figures: Mapping[str, Any]) -> str:
    if figures.get("stale"):
        return "stale"
    return "behind" if (figures["lagSeconds"] or 0) > BEHIND_SECONDS else "live"


def _line(key: str, series: Sequence[Mapping[str, Any]], shown: Range) -> Drawing:
    """Figures that were kept by an older version may lack the series: then there are no rows."""
    rows = [Row(_name(point, shown.grain), point["count"]) for point in series[-shown.points :]]
    return Drawing(key, f"{key.capitalize()} by {shown.grain}", shown.grain.capitalize(), rows)


def _name(point: Mapping[str, Any], grain: str) -> str:
    if grain == "day":
        return date.fromisoformat(point["day"]).strftime("%d-%b-%Y")
    at = timezone.localtime(datetime.fromisoformat(point["at"]))
    return at.strftime("%H:%M" if grain == "minute" else "%a %H:%M")


def _largest_first(counts: Mapping[str, int]) -> dict[str, int]:
    """Figures that were kept for later come back with their names in the database's own order."""
    return dict(sorted(counts.items(), key=lambda one: (-one[1], one[0])))


def _in_usual_order(counts: Mapping[str, int]) -> dict[str, int]:
    usual = list(NAMES)
    return dict(
        sorted(
            counts.items(), key=lambda one: usual.index(one[0]) if one[0] in usual else len(usual)
        )
    )


def _bars(counts: Mapping[str, int]) -> list[Row]:
    largest = max(counts.values(), default=0) or 1
    return [
        Row(NAMES.get(name, name), count, round(100 * count / largest, 1))
        for name, count in counts.items()
    ]
