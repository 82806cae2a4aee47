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
)
LEGEND = """\
Requests a second, and milliseconds until the answer for 50, 95 and 99 of a hundred; medians of the
rounds. **CPU**: processor time of a request in the portal's web processes, in PostgreSQL, and in
its other processes. **N**: the plain Django REST framework project of `tests/bench/plain_drf`.
**PostgreSQL**: pgbench with the statements alone; **of it**: the portal's share of that."""


def head() -> str:
    return f"{join(HEAD)}\n|---{'|--:' * (len(HEAD) - 1)}|"


def line(name: str, clients: int, systems: dict[str, Measured]) -> str:
    """Returns the line of one row; what a system does not have is a dash."""
    portal, plain, alone = (systems.get(name) for name in ("portal", "plain", "alone"))
    cells = [name, str(clients), rate(portal), times(portal), processor(portal)]
    cells += [rate(plain), times(plain), ratio(portal, plain)]
    return join([*cells, rate(alone), percent(portal, alone)])


def single_line(name: str, value: str, measured: Measured | None) -> str:
    """Returns the line of a row of the portal alone."""
    cells = [name, "–", value or rate(measured), times(measured)]
    return join([*cells, *["–"] * (len(HEAD) - len(cells))])


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
