"""The tables of a run: what was promised, what was found, how long it took."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

import psutil

from tests.fault import limits
from tests.fault.measures import (
    PLACES,
    api_recovery,
    dead_letter_seconds,
    middle,
    percentile,
    seconds_to_figure,
    seconds_to_show,
    slowdowns,
)
from tests.fault.run import Run

MOST_SHOWN = 5
NEVER = float("inf")
ByKind = Mapping[str, Mapping[str, list[float]]]


def report(runs: Sequence[Run], *, is_strict: bool) -> tuple[str, bool]:
    """Returns the Markdown text, and whether every promise held.

    Promised times count only if `is_strict`.
    """
    broken, late = violations(runs), limits.missed(runs)
    tables = [
        machine(),
        load(runs),
        promises(broken),
        promises(late),
        times(runs),
        recoveries(runs),
        shown(runs),
        slower(runs),
    ]
    details = [
        f"- {line}" for found in (*broken.values(), *late.values()) for line in _first(found)
    ]
    text = "\n\n".join(filter(None, [*tables, faults(runs), "\n".join(details)]))
    return text + "\n", not any(broken.values()) and not (is_strict and any(late.values()))


def violations(runs: Sequence[Run]) -> dict[str, list[str]]:
    """Returns the violations of all runs by promise."""
    names = dict.fromkeys(name for run in runs for name in run.violations)
    found: dict[str, list[str]] = {name: [] for name in names}
    for run in runs:
        for name, texts in run.violations.items():
            found[name] += [f"seed {run.seed}: {text}" for text in texts]
    return found


def machine() -> str:
    """Describes the machine: times mean nothing where other work ran."""
    load = psutil.getloadavg()[2]
    return f"{psutil.cpu_count()} cores with a load of {load:.1f} over the last 15 minutes."


def load(runs: Sequence[Run]) -> str:
    text = "seed,seconds,requests,ok,failed,unknown,events,patients,poison,faults"
    head = text.split(",")
    return _table(head, map(_load, runs))


def _load(run: Run) -> list[str]:
    outcomes = Counter(str(operation.outcome) for operation in run.history)
    count = sum(len(slot.faults) for slot in run.injected)
    sizes = [len(run.history), *(outcomes[name] for name in ("ok", "failed", "unknown"))]
    sizes += [len(run.stores.log), len(run.stores.patients), len(run.stores.poison), count]
    return [str(run.seed), f"{run.ended - run.began:.0f}", *(f"{size:,}" for size in sizes)]


def promises(broken: Mapping[str, Sequence[str]]) -> str:
    return _table(
        ["promise", "violations"], ([name, str(len(found))] for name, found in broken.items())
    )


def times(runs: Sequence[Run]) -> str:
    """Tables commit to figure, and poison to dead letter, in calm times."""
    taken: list[float] = []
    letters: list[float] = []
    for run in runs:
        taken += seconds_to_figure(run.stores.log, run.seen_at, run.calm)
        letters += dead_letter_seconds(run.stores, run.calm)
    taken.sort()
    letters.sort()
    promised = f"{limits.FIGURE_P50_SECONDS:g} s, {limits.FIGURE_P99_SECONDS:g} s"
    rows = [
        ["commit to figure", str(len(taken)), *_spread(taken), promised],
        [
            "poison to dead letter",
            str(len(letters)),
            *_spread(letters),
            f"all in {limits.DEAD_LETTER_SECONDS:g} s",
        ],
    ]
    return _table(["in calm times", "number", "p50", "p99", "longest", "promised p50, p99"], rows)


def _spread(ordered: Sequence[float]) -> list[str]:
    values = (percentile(ordered, 0.5), percentile(ordered, 0.99), max(ordered, default=0.0))
    return [f"{value:.2f} s" for value in values]


def recoveries(runs: Sequence[Run]) -> str:
    """Tables the recovery by kind of fault and part: median and longest."""
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for run in runs:
        for slot in run.injected:
            parts = {"api": api_recovery(run.history, slot.mended), **slot.recovered}
            for kind in {fault.kind for fault in slot.faults}:
                for part, seconds in parts.items():
                    found[kind][part].append(NEVER if seconds is None else seconds)
    names = {part: f"{part} ({limit:g} s)" for part, limit in limits.RECOVERY_SECONDS.items()}
    return _by_kind("back after, median and longest", found, names)


def shown(runs: Sequence[Run]) -> str:
    """Tables how soon each outage showed."""
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for run in runs:
        for kind, place, _, seconds in seconds_to_show(run.injected, run.sights):
            found[kind][place].append(NEVER if seconds is None else seconds)
    title = f"shown after ({limits.SHOWN_SECONDS:g} s), median and longest"
    return _by_kind(title, found, {place: place for place in PLACES})


def _by_kind(title: str, found: ByKind, names: Mapping[str, str]) -> str:
    rows = [
        [
            kind,
            str(max(map(len, by.values()))),
            *(f"{middle(by[name]):.1f}, {max(by[name]):.1f} s" for name in names),
        ]
        for kind, by in sorted(found.items())
    ]
    return _table([title, "times", *names.values()], rows)


def slower(runs: Sequence[Run]) -> str:
    """Tables writes during long outages; empty without an outage."""
    rows = [
        [
            slot.names,
            f"{slot.mended - slot.began:.0f} s",
            f"{1000 * before:.1f} ms",
            f"{1000 * during:.1f} ms",
        ]
        for run in runs
        for slot, before, during in slowdowns(run.history, run.injected, run.began)
    ]
    return _table(["long outage", "lasted", "median write before", "during"], rows)


def faults(runs: Sequence[Run]) -> str:
    counts: Counter[str] = Counter()
    for run in runs:
        for slot in run.injected:
            counts.update(map(str, slot.faults))
    names = ", ".join(f"{name} ({count})" for name, count in sorted(counts.items()))
    return f"Faults: {names}."


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(cells)} |" for cells in rows]
    return "\n".join([f"| {' | '.join(head)} |", "|---" * len(head) + "|", *lines]) if lines else ""


def _first(found: Sequence[str]) -> Iterator[str]:
    yield from found[:MOST_SHOWN]
    if len(found) > MOST_SHOWN:
        yield f"... and {len(found) - MOST_SHOWN} more"
