"""The times that are promised, and what a run did not keep of them. They hold on a machine that does nothing else."""

from collections.abc import Iterator, Sequence

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
SLOWER_SHARE = 0.2


def missed(runs: Sequence[Run]) -> dict[str, list[str]]:
    """By promise, where it was not kept."""
    return {
        "a change becomes a figure in time": list(_late_figures(runs)),
        "everything is back in time after a fault": [
            one for run in runs for one in _late_recoveries(run)
        ],
        "an outage shows in time": [one for run in runs for one in _late_shows(run)],
        "poison is set aside in time": [one for run in runs for one in _late_letters(run)],
        "the API gives no error because of a neighbour": [
            one for run in runs for one in _neighbours_errors(run)
        ],
        "a long outage does not slow writes": [one for run in runs for one in _slow_writes(run)],
    }


def _late_figures(runs: Sequence[Run]) -> Iterator[str]:
    taken = sorted(
        one for run in runs for one in seconds_to_figure(run.stores.log, run.seen_at, run.calm)
    )
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
    late = [one for one in dead_letter_seconds(run.stores, run.calm) if one > DEAD_LETTER_SECONDS]
    yield from (f"seed {run.seed}: one was set aside after {one:.1f} s" for one in late)


def _neighbours_errors(run: Run) -> Iterator[str]:
    for one in errors_from_neighbours(run.history, run.injected):
        yield f"seed {run.seed}: {one.kind} {one.number} got {one.statuses} {one.errors}"


def _slow_writes(run: Run) -> Iterator[str]:
    for slot, before, during in slowdowns(run.history, run.injected, run.began):
        if during > before * (1 + SLOWER_SHARE):
            yield f"seed {run.seed}: {slot.names}: {1000 * before:.0f} ms before, {1000 * during:.0f} ms during"
