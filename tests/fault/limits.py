"""The promised times, and the runs that missed them. They hold on an idle machine only."""

from collections.abc import Callable, Iterator, Sequence

from tests.fault.measures import (
    api_recovery,
    dead_letter_seconds,
    errors_from_neighbours,
    percentile,
    seconds_to_figure,
    seconds_to_show,
    slowdowns,
)
from tests.fault.run import Run

FIGURE_P50_SECONDS, FIGURE_P99_SECONDS = 0.5, 2.0
RECOVERY_SECONDS = {"api": 10.0, "topic": 10.0, "billing": 10.0, "figures": 20.0}
SHOWN_SECONDS = 10.0
DEAD_LETTER_SECONDS = 30.0
SLOWER_SHARE = 0.2  # of the calm median, that a write may take longer


def missed(runs: Sequence[Run]) -> dict[str, list[str]]:
    """Returns the misses by promise."""
    return {
        "a change becomes a figure in time": list(_late_figures(runs)),
        "everything is back in time after a fault": _of_all(runs, _late_recoveries),
        "an outage shows in time": _of_all(runs, _late_shows),
        "poison is set aside in time": _of_all(runs, _late_letters),
        "the API gives no error because of a neighbour": _of_all(runs, _neighbours_errors),
        "a long outage does not slow writes": _of_all(runs, _slow_writes),
    }


def _of_all(runs: Sequence[Run], misses_of: Callable[[Run], Iterator[str]]) -> list[str]:
    return [miss for run in runs for miss in misses_of(run)]


def _late_figures(runs: Sequence[Run]) -> Iterator[str]:
    taken: list[float] = []
    for run in runs:
        taken += seconds_to_figure(run.stores.log, run.seen_at, run.calm)
    taken.sort()
    for share, limit in ((0.5, FIGURE_P50_SECONDS), (0.99, FIGURE_P99_SECONDS)):
        if percentile(taken, share) > limit:
            yield f"p{100 * share:.0f} is {percentile(taken, share):.2f} s, promised {limit:g} s"


def _late_recoveries(run: Run) -> Iterator[str]:
    for slot in run.injected:
        parts = {"api": api_recovery(run.history, slot.mended), **slot.recovered}
        for part, seconds in parts.items():
            if seconds is None or seconds > RECOVERY_SECONDS[part]:
                took = "never" if seconds is None else f"after {seconds:.1f} s"
                yield f"seed {run.seed}: {slot.names}: {part} was back {took}"


def _late_shows(run: Run) -> Iterator[str]:
    for kind, place, lasted, seconds in seconds_to_show(run.injected, run.sights):
        if lasted > SHOWN_SECONDS and (seconds is None or seconds > SHOWN_SECONDS):
            seen = "never" if seconds is None else f"after {seconds:.1f} s"
            yield f"seed {run.seed}: {place} showed {kind} {seen}"


def _late_letters(run: Run) -> Iterator[str]:
    for seconds in dead_letter_seconds(run.stores, run.calm):
        if seconds > DEAD_LETTER_SECONDS:
            yield f"seed {run.seed}: a message was set aside after {seconds:.1f} s"


def _neighbours_errors(run: Run) -> Iterator[str]:
    for operation in errors_from_neighbours(run.history, run.injected):
        name = f"{operation.kind} {operation.number}"
        yield f"seed {run.seed}: {name} got {operation.statuses} {operation.errors}"


def _slow_writes(run: Run) -> Iterator[str]:
    for slot, before, during in slowdowns(run.history, run.injected, run.began):
        if during > before * (1 + SLOWER_SHARE):
            times = f"{1000 * before:.0f} ms before, {1000 * during:.0f} ms during"
            yield f"seed {run.seed}: {slot.names}: {times}"
