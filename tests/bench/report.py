"""Collects the lines of a run, prints them at once, and writes them into the documents."""

import platform
import textwrap
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from embedded.environment import ROOT
from tests.bench import table, usage
from tests.bench.chart import chart
from tests.bench.measure import Measured
from tests.bench.rows import SEARCH
from tests.bench.search import KINDS

DOCUMENT, CHART = ROOT / "docs" / "performance.md", ROOT / "docs" / "performance.svg"
BEGIN, END = "<!-- The table of make bench begins. -->", "<!-- It ends. -->"

# One kind of search stands for all in the chart.
UNCHARTED = {f"{SEARCH}{kind}" for kind in KINDS} - {f"{SEARCH}family and given name"}


@dataclass
class Report:
    """The table of a run as it grows, and what else the machine did meanwhile."""

    rows: int
    lines: list[str] = field(default_factory=list)
    rates: dict[str, dict[str, float]] = field(default_factory=dict)  # For the chart.

    def __post_init__(self) -> None:
        self._before, self._began = self._else(), time.monotonic()
        memory = psutil.virtual_memory().total / 2**30
        self._machine = (
            f"{self.rows:,} patients; {psutil.cpu_count()} cores, {memory:.0f} GB, "
            f"Python {platform.python_version()}; a load of {psutil.getloadavg()[0]:.1f} before"
        )
        print(self._machine, flush=True)

    def begin(self) -> None:
        self._add(table.head())

    def add(self, name: str, clients: int, systems: dict[str, Measured]) -> None:
        self._add(table.line(name, clients, systems))
        self.rates[name] = {system: each.per_second for system, each in systems.items()}

    def add_single(self, name: str, value: str, measured: Measured | None) -> None:
        self._add(table.single_line(name, value, measured))

    def add_failed(self, name: str, clients: str = "–") -> None:
        self._add(table.failed_line(name, clients))

    def conditions(self, unquiet: list[str]) -> str:
        """Returns machine, load and what other programs took of the processors meanwhile."""
        seconds = time.monotonic() - self._began
        foreign = max(0.0, (self._else() - self._before) / seconds)
        words = f"{self._machine}. Other programs took {foreign:.1f} processors meanwhile."
        if unquiet:
            words += f" The product was not at rest yet before: {', '.join(unquiet)}."
        return words

    def write(self, conditions: str, document: Path = DOCUMENT, drawing: Path = CHART) -> None:
        """Puts the table into the document, between its marks, and draws the chart."""
        text = document.read_text()
        before, found, rest = text.partition(BEGIN)
        _, ends, after = rest.partition(END)
        if not found or not ends:
            raise ValueError(f"{document} lacks the lines {BEGIN} and {END}")
        lines = "\n".join(self.lines)
        image = f"![Requests a second, beside N and PostgreSQL alone]({drawing.name})"
        parts = [BEGIN, textwrap.fill(conditions, 100), image, lines, table.LEGEND.strip(), END]
        document.write_text(before + "\n\n".join(parts) + after)
        shown = {name: row for name, row in self.rates.items() if name not in UNCHARTED}
        drawing.write_text(chart(shown))

    def _add(self, text: str) -> None:
        self.lines.append(text)
        print(text, flush=True)

    def _else(self) -> float:
        """Returns the processor time of all other programs since the machine's start."""
        busy = psutil.cpu_times()
        return busy.user + busy.nice + busy.system - usage.seconds_of([psutil.Process()])
