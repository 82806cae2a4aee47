"""The table of a run, in Markdown."""

from tests.bench.measure import Measured

HEAD = (
    "what",
    "clients",
    "portal /s",
    "p50 / 95 / 99 ms",
    "CPU ms: web, database, others",
    "N /s",
    "N p50 / 95 / 99 ms",
    "× N",
)


def head() -> str:
    return f"| {' | '.join(HEAD)} |\n|---{'|--:' * (len(HEAD) - 1)}|"


def line(name: str, clients: int, systems: dict[str, Measured]) -> str:
    """Returns the line of one row; systems without it have a dash."""
    portal, plain = systems.get("portal"), systems.get("plain")
    cells = [name, str(clients), rate(portal), times(portal), processor(portal)]
    cells += [rate(plain), times(plain), ratio(portal, plain)]
    return f"| {' | '.join(cells)} |"


def rate(measured: Measured | None) -> str:
    return "–" if measured is None else number(measured.per_second)


def times(measured: Measured | None) -> str:
    if measured is None:
        return "–"
    return " / ".join(number(value) for value in (measured.p50, measured.p95, measured.p99))


def processor(measured: Measured | None) -> str:
    if measured is None:
        return "–"
    spent = (measured.web, measured.database, measured.others)
    return ", ".join(f"{value:.2f}" for value in spent)


def ratio(measured: Measured | None, other: Measured | None) -> str:
    if measured is None or other is None or not other.per_second:
        return "–"
    return f"{measured.per_second / other.per_second:.2f}"


def number(value: float) -> str:
    """Returns two digits behind the point for small numbers, none for large ones."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 1 else f"{value:.2f}"
