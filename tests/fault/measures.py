"""Figures out of a run: how long changes took, how soon the system said what was wrong, who gave an error to whom."""

from collections.abc import Iterable, Iterator, Sequence
from statistics import median

from tests.fault.faults import ANALYTICS_AWAY, BILLING_AWAY, BROKER_AWAY, QUEUE_AWAY, WEB_WORKER
from tests.fault.history import Operation, Outcome
from tests.fault.nemesis import Injected
from tests.fault.probes import Sight
from tests.fault.stores import LogRow

SHOWS = {BROKER_AWAY: "events", BILLING_AWAY: "billing", ANALYTICS_AWAY: "analytics", QUEUE_AWAY: "worker queue"}
# What the API itself stands on; all else are neighbours.
OWN = {"portal", WEB_WORKER, "PostgreSQL", "client to portal", "portal to PostgreSQL"}
OWN_KINDS = {"disk full", "PostgreSQL stopped at once"}
AFTERMATH_SECONDS = 15.0  # A request that met such a fault may end this much later.
COMMANDS = {"import"}

Span = tuple[float, float]


def calm_spans(injected: Sequence[Injected], began: float, ended: float) -> list[Span]:
    """The times in which nothing was wrong and nothing was left to catch up."""
    edges = [began, *(edge for slot in injected for edge in (slot.began, slot.over)), ended]
    return [(start, end) for start, end in zip(edges[::2], edges[1::2], strict=True) if end > start]


def seconds_to_figure(log: Iterable[LogRow], seen_at: dict[int, float], spans: Sequence[Span]) -> list[float]:
    """For each change that was begun and counted in one calm time: from its transaction's begin to the figure."""
    found = []
    for row in log:
        began, seen = row.created_at.timestamp(), seen_at.get(row.event_id)
        if seen is not None and any(start <= began and seen <= end for start, end in spans):
            found.append(seen - began)
    return sorted(found)


def uncounted(log: Iterable[LogRow], seen_at: dict[int, float], spans: Sequence[Span], *, seconds: float) -> int:
    """Changes begun in a calm time that was not over `seconds` later, and not counted by then."""
    count = 0
    for row in log:
        began, seen = row.created_at.timestamp(), seen_at.get(row.event_id, float("inf"))
        count += any(start <= began <= end - seconds and seen > began + seconds for start, end in spans)
    return count


def percentile(ordered: Sequence[float], share: float) -> float:
    """Of an ordered list; 0 for an empty one."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def middle(values: Sequence[float]) -> float:
    return median(values) if values else 0.0


def seconds_to_show(
    injected: Iterable[Injected], sights: Sequence[Sight]
) -> Iterator[tuple[str, str, float, float | None]]:
    """For each outage and place: its kind, the place, how long it lasted, and seconds until the place showed it."""
    for slot in injected:
        for fault in slot.faults:
            if fault.kind in SHOWS:
                for place in ("/health/ready", "/metrics", "page"):
                    yield fault.kind, place, fault.seconds, _first(sights, place, SHOWS[fault.kind], slot)


def _first(sights: Sequence[Sight], place: str, name: str, slot: Injected) -> float | None:
    seen = (
        one.at for one in sights if one.place == place and slot.began <= one.at <= slot.mended and name in one.behind
    )
    first = next(seen, None)
    return None if first is None else first - slot.began


def errors_from_neighbours(history: Iterable[Operation], injected: Sequence[Injected]) -> list[Operation]:
    """Requests that got no answer or an error of the server while nothing that the API stands on was touched."""
    own = [slot for slot in injected if any(_is_own(fault) for fault in slot.faults)]
    found = []
    for operation in history:
        is_bad = any(status == 0 or status >= 500 for status in operation.statuses)
        touched = any(
            slot.began <= operation.ended and operation.began <= slot.mended + AFTERMATH_SECONDS for slot in own
        )
        if is_bad and not touched:
            found.append(operation)
    return found


def _is_own(fault) -> bool:
    return fault.target in OWN or fault.kind in OWN_KINDS


def api_recovery(history: Sequence[Operation], mended: float) -> float | None:
    """Seconds until a request that was sent afterwards had succeeded."""
    ends = [one.ended for one in history if one.began >= mended and one.outcome is Outcome.OK and one.statuses]
    return min(ends) - mended if ends else None


def write_seconds(history: Iterable[Operation], start: float, end: float) -> list[float]:
    """How long the API took for each write that succeeded in this time, at the first attempt."""
    return sorted(
        one.seconds
        for one in history
        if start <= one.began and one.ended <= end and one.outcome is Outcome.OK and len(one.statuses) == 1
    )
