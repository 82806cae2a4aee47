"""The table of a run, in Markdown."""

from collections.abc import Sequence

from tests.bench.measure import Measured

HEAD = (
    "what",
    "clients",
    "portal",
    "p50, 95, 99 ms",
    "CPU ms",
    "N",
    "p50, 95, 99 ms",
    "× N",
    "PostgreSQL",
    "of it",
    "reach",
)
# What a row is to reach, by the beginning of its name; the first that fits counts.
REACH = {
    "get": "10 × N",
    "page of 50": "80 × N",
    "register": "8 × N",
    "search": "p95 25 ms",
    "pages: ": "CPU 15 ms",
    "start": "10 s",
    "memory at rest": "500 MB",
    "import CSV committed": "10,000 rows/s",
    "import CSV settled": "6,000 rows/s",
    "import NDJSON committed": "6,000 rows/s",
    "chain: relay": "15,000/s",
    "chain: analytics": "8,000/s",
    "chain: billing": "15,000/s",
    "commit to figure, while": "p99 1,000 ms",
    "desk of 192: register": "p95 100 ms",
    "desk of 192: search": "p95 50 ms",
    "desk": "–",
    "": "1 × N",
}
LEGEND = """\
Requests a second, and milliseconds until the answer for 50, 95 and 99 of a hundred; medians of the
rounds. **CPU**: processor time of a request in the portal's web processes, in PostgreSQL, and in
its other processes. **N**: the plain Django REST framework project of `tests/bench/plain_drf`.
**PostgreSQL**: pgbench with the statements alone; **of it**: the portal's share of that.
**reach**: what we want of the portal. `failed`: the run says why the row could not be measured."""


def head() -> str:
    return f"{join(HEAD)}\n|---{'|--:' * (len(HEAD) - 1)}|"


def line(name: str, clients: int, systems: dict[str, Measured]) -> str:
    """Returns the line of one row; what a system does not have is a dash."""
    portal, plain, alone = (systems.get(name) for name in ("portal", "plain", "alone"))
    cells = [name, str(clients), rate(portal), times(portal), processor(portal)]
    cells += [rate(plain), times(plain), ratio(portal, plain)]
    cells += [rate(alone), percent(portal, alone)]
    return join([*cells, reach(name) if plain or not reach(name).endswith("N") else "–"])


def single_line(name: str, value: str, measured: Measured | None) -> str:
    """Returns the line of a row of the portal alone."""
    cells = [name, "–", value or rate(measured), times(measured)]
    wanted = reach(name)
    cells += ["–"] * (len(HEAD) - 1 - len(cells))
    return join([*cells, "–" if wanted.endswith("N") else wanted])


def failed_line(name: str, clients: str = "–") -> str:
    """Returns the line of a row that could not be measured."""
    return join([name, clients, "failed", *["–"] * (len(HEAD) - 3)])


def reach(name: str) -> str:
    return next(text for beginning, text in REACH.items() if name.startswith(beginning))


def join(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def rate(measured: Measured | None) -> str:
    return "–" if measured is None else number(measured.per_second)


def times(measured: Measured | None) -> str:
    if measured is None:
        return "–"
    return ", ".join(number(value) for value in (measured.p50, measured.p95, measured.p99))


def processor(measured: Measured | None) -> str:
    if measured is None:
        return "–"
    spent = (measured.web, measured.database, measured.others)
    return " + ".join(f"{value:.1f}" for value in spent)


def ratio(measured: Measured | None, other: Measured | None) -> str:
    if measured is None or other is None:
        return "–"
    return number(measured.per_second / other.per_second)


def percent(measured: Measured | None, other: Measured | None) -> str:
    if measured is None or other is None:
        return "–"
    return f"{measured.per_second / other.per_second:.0%}"


def number(value: float) -> str:
    """Returns two digits behind the point for small numbers, none for large ones."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 1 else f"{value:.2f}"
