"""The charts of the dashboard: tiles, time lines and bars, each of which is a table too."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils import timezone

from portal.analytics.ranges import Range, summarize

BEHIND_SECONDS = 5  # From this lag on the page says "Catching up".
# The words of the page for the names in the figures. Their order is the order of the bars.
LABELS = {
    "female": "Female",
    "male": "Male",
    "other": "Other",
    "unknown": "Not recorded",
    "": "Not recorded",
    "portal": "Staff pages",
    "api": "API",
    "admin": "Admin",
    "import": "Import",
    "command": "Command",
    "pending": "Pending",
    "active": "Active",
    "failed": "Failed",
    "closed": "Closed",
}


@dataclass(frozen=True)
class Row:
    """A point of a line, or a bar. `share` is its size in per cent of the largest bar."""

    name: str
    count: int
    share: float = 0


@dataclass(frozen=True)
class Chart:
    """A chart with its rows in order. `column` is the heading of their names."""

    key: str
    title: str
    column: str
    rows: Sequence[Row]


def chart_context(
    figures: Mapping[str, Any], selected: Range, *, regions: int = 20
) -> dict[str, Any]:
    """Returns the context of `analytics/figures.html`, with the time lines of the selected range
    and the largest regions."""
    totals, billing = figures["totals"], figures.get("billing", {})
    by_age = dict(sorted(figures["byAgeBand"].items()))
    by_region = _bars(_largest_first(figures["byRegion"]))[:regions]
    by_source = _bars(_largest_first(figures["bySource"]))
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
        "range": selected,
        "sentence": summarize(figures, selected),
        "lines": [
            _line("registrations", figures.get(selected.registrations, ()), selected),
            _line("changes", figures.get(selected.changes, ()), selected),
        ],
        "bars": [
            Chart("regions", f"By region, largest {regions}", "Region", by_region),
            Chart("ages", "By age", "Years", _bars(by_age)),
            Chart("sexes", "By sex", "Sex", _bars(_in_label_order(figures["bySex"]))),
            Chart("sources", "By channel", "Channel", by_source),
            Chart("billing", "Billing accounts", "State", _bars(_in_label_order(billing))),
        ],
    }


def _state(figures: Mapping[str, Any]) -> str:
    if figures.get("stale"):
        return "stale"
    return "behind" if (figures["lagSeconds"] or 0) > BEHIND_SECONDS else "live"


def _line(key: str, series: Sequence[Mapping[str, Any]], selected: Range) -> Chart:
    """Returns a time line. A snapshot of an older version may lack the series and has no rows."""
    grain = selected.grain
    rows = [Row(_point_name(point, grain), point["count"]) for point in series[-selected.points :]]
    return Chart(key, f"{key.capitalize()} by {grain}", grain.capitalize(), rows)


def _point_name(point: Mapping[str, Any], grain: str) -> str:
    if grain == "day":
        return date.fromisoformat(point["day"]).strftime("%d-%b-%Y")
    at = timezone.localtime(datetime.fromisoformat(point["at"]))
    return at.strftime("%H:%M" if grain == "minute" else "%a %H:%M")


def _largest_first(counts: Mapping[str, int]) -> dict[str, int]:
    """Sorts the counts. Those of a stored snapshot come in the database's own order."""
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _in_label_order(counts: Mapping[str, int]) -> dict[str, int]:
    places = {name: place for place, name in enumerate(LABELS)}
    return dict(sorted(counts.items(), key=lambda item: places.get(item[0], len(places))))


def _bars(counts: Mapping[str, int]) -> list[Row]:
    largest = max(counts.values(), default=0) or 1
    return [
        Row(LABELS.get(name, name), count, round(100 * count / largest, 1))
        for name, count in counts.items()
    ]
