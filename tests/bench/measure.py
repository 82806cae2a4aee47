"""Measures a row: the systems in turns, several times; the median round counts."""

import statistics
from collections.abc import Callable
from dataclasses import dataclass, replace

import psutil

from tests.bench import usage
from tests.bench.load import run_load
from tests.bench.options import Options
from tests.bench.rows import Asked, Row

QUIET_TIMES = 5  # The longest wait for work that is left over, in times of a measurement.
WARM_SECONDS = 0.3  # Not counted, before the first round.


@dataclass
class Measured:
    """A system in a row: medians of the rounds, times in milliseconds for each request."""

    per_second: float
    p50: float
    p95: float
    p99: float
    web: float = 0.0  # Processor time of the web processes.
    database: float = 0.0
    others: float = 0.0  # Processor time of the product's other processes.
    generator: float = 0.0  # Of a processor, while it measured.
    was_quiet: bool = True


Run = Callable[[Options], Measured]


def measure_row(row: Row, asked: Asked, options: Options, count: int) -> dict[str, Measured]:
    """Returns what each system does over `count` connections, by its name."""
    runs: dict[str, Run] = {"portal": lambda timing: measure_portal(row, asked, timing, count)}
    if asked.plain and row.plain:
        runs["plain"] = lambda timing: measure_plain(row, asked, timing, count)
    taken: dict[str, list[Measured]] = {name: [] for name in runs}
    warm = replace(options, seconds=min(WARM_SECONDS, options.seconds))
    for run in runs.values():
        run(warm)
    for _ in range(options.rounds):
        for name, run in runs.items():
            taken[name].append(run(options))
    return {name: median_of(rounds) for name, rounds in taken.items()}


def measure_portal(row: Row, asked: Asked, options: Options, count: int) -> Measured:
    product, sources = asked.product, row.portal(asked, count)
    was_quiet = product.wait_until_quiet(seconds=options.seconds * QUIET_TIMES)
    groups = product.groups()
    trees = {
        "web": groups.pop("portal"),
        "database": groups.pop("PostgreSQL"),
        "others": [process for group in groups.values() for process in group],
    }
    return measured(product.port, sources, options.seconds, trees, was_quiet=was_quiet)


def measure_plain(row: Row, asked: Asked, options: Options, count: int) -> Measured:
    sources = row.plain(asked, count)
    was_quiet = asked.product.wait_until_quiet(seconds=options.seconds * QUIET_TIMES)
    trees = {"web": [asked.plain.root], "database": asked.product.groups()["PostgreSQL"]}
    return measured(asked.plain.port, sources, options.seconds, trees, was_quiet=was_quiet)


def measured(
    port: int,
    sources: list,
    seconds: float,
    trees: dict[str, list[psutil.Process]],
    *,
    was_quiet: bool,
) -> Measured:
    before = {name: usage.seconds_of(tree) for name, tree in trees.items()}
    load = run_load(port, sources, seconds=seconds)
    answers = max(1, len(load.times))
    spent = {
        name: (usage.seconds_of(tree) - before[name]) * 1000 / answers
        for name, tree in trees.items()
    }
    return Measured(
        load.per_second,
        load.milliseconds(50),
        load.milliseconds(95),
        load.milliseconds(99),
        **spent,
        generator=load.own_seconds / load.seconds,
        was_quiet=was_quiet,
    )


def median_of(rounds: list[Measured]) -> Measured:
    """Returns the median of each figure; quiet, if every round was."""
    figures = {
        name: statistics.median(getattr(one_round, name) for one_round in rounds)
        for name in Measured.__annotations__
        if name != "was_quiet"
    }
    return Measured(**figures, was_quiet=all(one_round.was_quiet for one_round in rounds))
