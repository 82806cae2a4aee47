"""Figures of a run: how long changes took, when outages showed, and which errors came."""

from collections.abc import Iterable, Iterator, Sequence
from statistics import median

from tests.fault.faults import (
    ANALYTICS_AWAY,
    BILLING_AWAY,
    BROKER_AWAY,
    DATABASE_STOP,
    DISK_FULL,
    FILES_FULL,
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
    FILES_FULL: "disk",
}
# The parts that the API itself needs; all others are neighbours.
OWN = {
    "portal",
    WEB_WORKER,
    "PostgreSQL",
    "client to portal",
    "portal to PostgreSQL",
    DATABASE_STOP,
    DISK_FULL,
}
AFTERMATH_SECONDS = 15.0  # after such a fault, in which a request that met it may end
LONG_OUTAGES = {BROKER_AWAY, BILLING_AWAY}
LONG_SECONDS = 60.0  # of an outage, from which on it shows whether writes become slower
LONGEST_WAIT_SECONDS = 2.0  # before the next fault; an uncounted change of that time says nothing

Span = tuple[float, float]


def calm_spans(injected: Sequence[Injected], began: float, ended: float) -> list[Span]:
    """Returns the times without a fault and without anything to catch up."""
    edges = [began, *(edge for slot in injected for edge in (slot.began, slot.over)), ended]
    return [(start, end) for start, end in zip(edges[::2], edges[1::2], strict=True) if end > start]


def seconds_to_figure(
    log: Iterable[LogRow], seen_at: dict[int, float], spans: Sequence[Span]
) -> list[float]:
    """Returns the sorted seconds from the begin of a transaction to its figure, in calm times.

    A change that was not counted in the calm time counts with the rest of that time.
    """
    found = []
    for row in log:
        began = row.created_at.timestamp()
        end = next((end for start, end in spans if start <= began <= end), None)
        if end is not None and (row.event_id in seen_at or end - began > LONGEST_WAIT_SECONDS):
            found.append(min(seen_at.get(row.event_id, end), end) - began)
    return sorted(found)


def dead_letter_seconds(stores: Stores, spans: Sequence[Span]) -> list[float]:
    """Returns the sorted seconds from poison to dead letter, in calm times."""
    set_aside_at = {letter.number: letter.at for letter in reversed(stores.dead_letters)}
    found = []
    for poison in stores.poison:
        is_calm = any(start <= poison.at <= end for start, end in spans)
        if is_calm and poison.number in set_aside_at:
            found.append(set_aside_at[poison.number] - poison.at)
    return sorted(found)


def percentile(ordered: Sequence[float], share: float) -> float:
    """Returns the value at this share of an ordered list; 0 for an empty list."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def middle(values: Sequence[float]) -> float:
    return median(values) if values else 0.0


def seconds_to_show(
    injected: Iterable[Injected], sights: Sequence[Sight]
) -> Iterator[tuple[str, str, float, float | None]]:
    """Yields kind, place, duration and seconds until the place showed it, for each outage."""
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
    for sight in sights:
        is_within = sight.place == place and slot.began <= sight.at <= slot.mended
        if is_within and name in sight.behind:
            return sight.at - slot.began
    return None


def errors_from_neighbours(
    history: Iterable[Operation], injected: Sequence[Injected]
) -> list[Operation]:
    """Returns requests that failed while no part that the API needs had a fault."""
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
    """Returns the seconds until a request that was sent after the repair had succeeded."""
    ends = [
        operation.ended
        for operation in history
        if operation.began >= mended and operation.outcome is Outcome.OK and operation.statuses
    ]
    return min(ends) - mended if ends else None


def slowdowns(
    history: Sequence[Operation], injected: Sequence[Injected], began: float
) -> Iterator[tuple[Injected, float, float]]:
    """Yields the median seconds of a write before and during each long outage."""
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
    """Returns the seconds of each write of this time that succeeded at the first attempt."""
    return [
        operation.seconds
        for operation in history
        if start <= operation.began
        and operation.ended <= end
        and operation.outcome is Outcome.OK
        and len(operation.statuses) == 1
    ]
