"""Measures a row: the systems in turns, several times; the median round counts."""

import statistics
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import psutil

from tests.bench import usage
from tests.bench.alone import Alone
from tests.bench.load import run_load
from tests.bench.options import Options
from tests.bench.plain import Plain
from tests.bench.product import Product
from tests.bench.rows import Asked, Row, Source

QUIET_TIMES = 5  # The longest wait for work that is left over, in times of a measurement.
WARM_SECONDS = 0.3  # Not counted, before the first round.
Trees = dict[str, list[psutil.Process]]


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


Run = Callable[[Options], Measured]


@dataclass
class Bench:
    """Measures rows on the systems that take part."""

    asked: Asked
    alone: Alone | None
    unquiet: list[str] = field(default_factory=list)  # Rows with work left over from before.

    def measure(self, row: Row, options: Options, clients: int) -> dict[str, Measured]:
        """Returns what each system does with so many clients, by its name. Raises WrongAnswer."""
        runs = self._runs(row, clients)
        taken: dict[str, list[Measured]] = {name: [] for name in runs}
        warm = replace(options, seconds=min(WARM_SECONDS, options.seconds))
        for name, run in runs.items():
            if name != "alone":
                run(warm)
        for number in range(options.rounds):
            for name, run in runs.items():
                if name == "alone" and number and options.is_quick:
                    continue  # pgbench runs for whole seconds.
                self._wait(row, options)
                taken[name].append(run(options))
        self._wait(row, options)
        return {name: median_of(rounds) for name, rounds in taken.items()}

    def _runs(self, row: Row, clients: int) -> dict[str, Run]:
        asked, alone = self.asked, self.alone
        portal, plain = row.portal(asked, clients), row.plain
        runs: dict[str, Run] = {"portal": lambda timing: ask(asked.product, portal, timing)}
        if asked.plain and plain:
            sources = plain(asked, clients)
            runs["plain"] = lambda timing: ask(asked.plain, sources, timing, among=asked.product)
        if alone and alone.scripts_of(row.name):
            runs["alone"] = lambda timing: ask_alone(alone, row.name, timing, clients)
        return runs

    def _wait(self, row: Row, options: Options) -> None:
        """Waits for what the last measurement left: statements of the baseline, or our events."""
        is_quiet = self.asked.product.wait_until_quiet(seconds=options.seconds * QUIET_TIMES)
        if not is_quiet and row.name not in self.unquiet:
            self.unquiet.append(row.name)


def ask(
    system: Product | Plain,
    sources: list[Source],
    options: Options,
    *,
    among: Product | None = None,
) -> Measured:
    """Measures the portal, or the baseline beside (`among`) the product."""
    trees = trees_of(system) if isinstance(system, Product) else trees_of(among)
    if not isinstance(system, Product):
        trees = {"web": [system.root], "database": trees["database"]}
    before = {name: usage.seconds_of(tree) for name, tree in trees.items()}
    load = run_load(system.port, sources, seconds=options.seconds)
    spent = {
        name: (usage.seconds_of(tree) - before[name]) * 1000 / len(load.times)
        for name, tree in trees.items()
    }
    times = [load.milliseconds(percent) for percent in (50, 95, 99)]
    return Measured(load.per_second, *times, **spent, generator=load.own_seconds / load.seconds)


def ask_alone(alone: Alone, row: str, options: Options, clients: int) -> Measured:
    database = trees_of(alone.product)["database"]
    before = usage.seconds_of(database)
    rate, times, count = alone.run(row, seconds=options.seconds, clients=clients)
    return Measured(rate, *times, database=(usage.seconds_of(database) - before) * 1000 / count)


def trees_of(product: Product) -> Trees:
    groups = product.groups()
    web, database = groups.pop("portal"), groups.pop("PostgreSQL")
    others = [process for group in groups.values() for process in group]
    return {"web": web, "database": database, "others": others}


def median_of(rounds: list[Measured]) -> Measured:
    """Returns the median of each figure."""
    return Measured(
        **{
            name: statistics.median(getattr(figures, name) for figures in rounds)
            for name in Measured.__annotations__
        }
    )
