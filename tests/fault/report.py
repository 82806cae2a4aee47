"""The tables of a run: what was promised, what was found, how long it took."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from tests.fault.measures import (
    api_recovery,
    errors_from_neighbours,
    middle,
    percentile,
    seconds_to_figure,
    seconds_to_show,
    uncounted,
)
from tests.fault.run import Run

P50_SECONDS, P99_SECONDS = 0.5, 2.0
RECOVERY_SECONDS = {"api": 10.0, "topic": 10.0, "billing": 10.0, "figures": 20.0}
SHOWN_SECONDS = 10.0
DEAD_LETTER_SECONDS = 30.0
MOST_SHOWN = 5


def report(runs: Sequence[Run]) -> tuple[str, bool]:
    """The text, in Markdown, and whether every promise held."""
    broken = {
        name: [f"seed {run.seed}: {one}" for run in runs for one in run.violations.get(name, [])]
        for name in names(runs)
    }
    sections = [load(runs), promises(broken), times(runs), recoveries(runs), shown(runs), faults(runs)]
    details = [line for found in broken.values() for line in _first(found)]
    text = "\n\n".join(part for part in sections if part)
    return (text + "\n\n" + "\n".join(details)).strip() + "\n", not any(broken.values())


def names(runs: Sequence[Run]) -> list[str]:
    return list(dict.fromkeys(name for run in runs for name in run.violations))


def load(runs: Sequence[Run]) -> str:
    lines = ["| seed | seconds | requests | ok | failed | unknown | events | patients | faults |", "|---" * 9 + "|"]
    for run in runs:
        outcomes = Counter(str(one.outcome) for one in run.history)
        count = sum(len(slot.faults) for slot in run.injected)
        told = [outcomes[name] for name in ("ok", "failed", "unknown")]
        sizes = [len(run.history), *told, len(run.stores.log), len(run.stores.patients), count]
        lines.append(
            f"| {run.seed} | {run.ended - run.began:.0f} | " + " | ".join(f"{size:,}" for size in sizes) + " |"
        )
    return "\n".join(lines)


def promises(broken: dict[str, list[str]]) -> str:
    rows = [f"| {name} | {len(found)} |" for name, found in broken.items()]
    return "\n".join(["| promise | violations |", "|---|---|", *rows])


def times(runs: Sequence[Run]) -> str:
    """Commit to figure in calm times, and poison to dead letter at any time."""
    taken = sorted(one for run in runs for one in seconds_to_figure(run.stores.log, run.seen_at, run.calm))
    late = sum(uncounted(run.stores.log, run.seen_at, run.calm, seconds=P99_SECONDS) for run in runs)
    p50, p99 = percentile(taken, 0.5), percentile(taken, 0.99)
    letters = sorted(one for run in runs for one in dead_letter_seconds(run))
    rows = [
        f"| commit to figure, {len(taken):,} changes in calm times, {late} later than {P99_SECONDS:g} s "
        f"| p50 {p50:.2f} s, p99 {p99:.2f} s, longest {max(taken, default=0):.2f} s "
        f"| {P50_SECONDS} s and {P99_SECONDS} s |",
        f"| poison to dead letter, {len(letters)} messages | median {middle(letters):.2f} s, longest "
        f"{max(letters, default=0):.2f} s | {DEAD_LETTER_SECONDS:g} s |",
    ]
    return "\n".join(["| what | measured | promised |", "|---|---|---|", *rows])


def dead_letter_seconds(run: Run) -> list[float]:
    """From the planting to the dead letter, for what was planted in calm times."""
    letters = {one.number: one.at for one in reversed(run.stores.dead_letters)}
    planted = [one for one in run.stores.poison if any(start <= one.at <= end for start, end in run.calm)]
    return [letters[one.number] - one.at for one in planted if one.number in letters]


def recoveries(runs: Sequence[Run]) -> str:
    """By kind of fault and part: median and longest, after all faults of the slot were mended."""
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for run in runs:
        for slot in run.injected:
            parts = {"api": api_recovery(run.history, slot.mended), **slot.recovered}
            for kind in {fault.kind for fault in slot.faults}:
                for part, seconds in parts.items():
                    found[kind][part].append(float("inf") if seconds is None else seconds)
    head = [
        f"| after | times | {' | '.join(f'{part} ({limit:g} s)' for part, limit in RECOVERY_SECONDS.items())} |",
        "|---" * 6 + "|",
    ]
    rows = [
        f"| {kind} | {len(parts['api'])} | "
        + " | ".join(f"{middle(parts[part]):.1f}, {max(parts[part]):.1f}" for part in RECOVERY_SECONDS)
        + " |"
        for kind, parts in sorted(found.items())
    ]
    return "\n".join([*head, *rows])


def shown(runs: Sequence[Run]) -> str:
    """How soon an outage of at least SHOWN_SECONDS was to be seen."""
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for run in runs:
        for kind, place, _, seconds in seconds_to_show(run.injected, run.sights):
            found[kind][place].append(float("inf") if seconds is None else seconds)
    places = ("/health/ready", "/metrics", "page")
    rows = [
        f"| {kind} | {len(by['page'])} | " + " | ".join(f"{middle(by[p]):.1f}, {max(by[p]):.1f}" for p in places) + " |"
        for kind, by in sorted(found.items())
    ]
    return "\n".join([f"| shown after ({SHOWN_SECONDS:g} s) | times | {' | '.join(places)} |", "|---" * 5 + "|", *rows])


def faults(runs: Sequence[Run]) -> str:
    counts = Counter(str(fault) for run in runs for slot in run.injected for fault in slot.faults)
    neighbours = sum(len(errors_from_neighbours(run.history, run.injected)) for run in runs)
    told = ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
    return f"Faults: {told}.\n\nErrors of the API while only neighbours were touched: {neighbours}."


def _first(found: list[str]) -> Iterator[str]:
    yield from found[:MOST_SHOWN]
    if len(found) > MOST_SHOWN:
        yield f"... and {len(found) - MOST_SHOWN} more"
