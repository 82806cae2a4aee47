"""Figures out of a run: how long changes took, how soon the system said what was wrong, who gave an error to whom."""

from collections.abc import Iterable, Iterator, Sequence
from statistics import median

from tests.fault.faults import (
    ANALYTICS_AWAY,
    BILLING_AWAY,
    BROKER_AWAY,
    DATABASE_STOP,
    DISK_FULL,
    QUEUE_AWAY,
    WEB_WORKER,
    Fault,
)
from tests.fault.history import Operation, Outcome
from tests.fault.nemesis import Injected
from tests.fault.probes import PLACES, Sight
from tests.fault.stores import LogRow, Stores

SHOWS = {
    BROKER_AWAY: "events",
    BILLING_AWAY: "billing",
    ANALYTICS_AWAY: "analytics",
    QUEUE_AWAY: "worker queue",
}
# What the API itself stands on; all else are neighbours.
OWN = {
    "portal",
    WEB_WORKER,
    "PostgreSQL",
    "client to portal",
    "portal to PostgreSQL",
    DATABASE_STOP,
    DISK_FULL,
}
AFTERMATH_SECONDS = 15.0  # A request that met such a fault may end this much later.
LONG_OUTAGES = {BROKER_AWAY, BILLING_AWAY}
LONG_SECONDS = 60.0  # One that lasts this long shows whether writes become slower.
LONGEST_WAIT_SECONDS = (
    2.0  # What began so shortly before the next fault, and was not counted yet, says nothing.
)

Span = tuple[float, float]


def calm_spans(injected: Sequence[Injected], began: float, ended: float) -> list[Span]:
    """The times in which nothing was wrong and nothing was left to catch up."""
    edges = [began, *(edge for slot in injected for edge in (slot.began, slot.over)), ended]
    return [(start, end) for start, end in zip(edges[::2], edges[1::2], strict=True) if end > start]


def seconds_to_figure(
    log: Iterable[LogRow], seen_at: dict[int, float], spans: Sequence[Span]
) -> list[float]:
    """For each change made in a calm time, ordered: from the begin of its transaction to its figure.

    One that was not counted before the calm was over says how long that was at least.
    """
    found = []
    for row in log:
        began = row.created_at.timestamp()
        end = next((end for start, end in spans if start <= began <= end), None)
        if end is not None and (row.event_id in seen_at or end - began > LONGEST_WAIT_SECONDS):
            found.append(min(seen_at.get(row.event_id, end), end) - began)
    return sorted(found)


def dead_letter_seconds(stores: Stores, spans: Sequence[Span]) -> list[float]:
    """From the planting to the dead letter, ordered, for what was planted in calm times."""
    letters = {one.number: one.at for one in reversed(stores.dead_letters)}
    planted = [one for one in stores.poison if any(start <= one.at <= end for start, end in spans)]
    return sorted(letters[one.number] - one.at for one in planted if one.number in letters)


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
                for place in PLACES:
                    yield (
                        fault.kind,
                        place,
                        fault.seconds,
                        _first(sights, place, SHOWS[fault.kind], slot),
                    )


def _first(sights: Sequence[Sight], place: str, name: str, slot: Injected) -> float | None:
    there = (one for one in sights if one.place == place and slot.began <= one.at <= slot.mended)
    return next((one.at - slot.began for one in there if name in one.behind), None)


def errors_from_neighbours(
    history: Iterable[Operation], injected: Sequence[Injected]
) -> list[Operation]:
    """Requests that got no answer or an error of the server while nothing that the API stands on was touched."""
    own = [slot for slot in injected if any(_is_own(fault) for fault in slot.faults)]
    found = []
    for operation in history:
        is_bad = any(status == 0 or status >= 500 for status in operation.statuses)
        touched = any(
            slot.began <= operation.ended and operation.began <= slot.mended + AFTERMATH_SECONDS
            for slot in own
        )
        if is_bad and not touched:
            found.append(operation)
    return found


def _is_own(fault: Fault) -> bool:
    return bool(OWN & {fault.kind, fault.target})


def api_recovery(history: Sequence[Operation], mended: float) -> float | None:
    """Seconds until a request that was sent afterwards had succeeded."""
    ends = [
        one.ended
        for one in history
        if one.began >= mended and one.outcome is Outcome.OK and one.statuses
    ]
    return min(ends) - mended if ends else None


def slowdowns(
    history: Sequence[Operation], injected: Sequence[Injected], began: float
) -> Iterator[tuple[Injected, float, float]]:
    """For each long outage the median seconds of a write in the calm before it, and during it."""
    calm = began
    for slot in injected:
        if any(
            fault.kind in LONG_OUTAGES and fault.seconds > LONG_SECONDS for fault in slot.faults
        ):
            before, during = (
                write_seconds(history, *span)
                for span in ((calm, slot.began), (slot.began, slot.mended))
            )
            yield slot, middle(before), middle(during)
        calm = slot.over


def write_seconds(history: Iterable[Operation], start: float, end: float) -> list[float]:
    """How long the API took for each write that succeeded in this time, at the first attempt."""
    return [
        one.seconds
        for one in history
        if start <= one.began
        and one.ended <= end
        and one.outcome is Outcome.OK
        and len(one.statuses) == 1
    ]
