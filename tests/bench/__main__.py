"""`make bench`: the product as shipped, a plain baseline and PostgreSQL alone, in one table.

ROWS, ONLY, SECONDS, ROUNDS, CONNECTIONS and SYSTEMS make a run shorter; see `options`.
"""

import fcntl
import signal
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType
from typing import NoReturn

from tests.bench.alone import Alone
from tests.bench.measure import Bench
from tests.bench.options import Options
from tests.bench.plain import started_plain
from tests.bench.product import started_product
from tests.bench.report import Report
from tests.bench.rows import SEARCH, Asked, wanted_rows
from tests.bench.single import Part, Single
from tests.bench.storage import FOLDER, filled_copy


def main() -> int:
    try:
        options = Options.read(sys.argv[1:])
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, end_orderly)
    with one_at_a_time(), filled_copy(options.rows) as folder, ExitStack() as stack:
        report = Report(options.rows)
        product = stack.enter_context(started_product(folder))
        plain = None
        if "plain" in options.systems:
            plain = stack.enter_context(started_plain(product))
        asked = Asked(product, plain, options.rows)
        bench = Bench(asked, Alone(product) if "alone" in options.systems else None)
        failures = run(bench, Single(asked, options), options, report)
        conditions = report.conditions(bench.unquiet)
    print(f"\n{conditions}")
    if options.write:
        report.write(conditions)
    for failure in failures:
        print(f"\n{failure}", file=sys.stderr)
    return int(bool(failures))


def run(bench: Bench, single: Single, options: Options, report: Report) -> list[str]:
    """Fills the report. Returns what went wrong: such a row is marked as failed."""
    failures: list[str] = []
    rows = wanted_rows(options)
    searches = [row.name.removeprefix(SEARCH) for row in rows if row.name.startswith(SEARCH)]
    report.begin()
    if bench.alone and searches:
        try:
            bench.alone.capture(searches)
        except Exception as error:  # The searches have no column of PostgreSQL then.
            failures.append(f"PostgreSQL's searches: {error!r}"[:3000])
    add_parts(report, single.before_load(), failures)
    for row in rows:
        for clients in row.connections(options):
            try:
                report.add(row.name, clients, bench.measure(row, options, clients))
            except Exception as error:  # Whatever a row meets, the others are measured.
                report.add_failed(row.name, str(clients))
                failures.append(f"{row.name}: {error!r}"[:3000])
    add_parts(report, single.after_load(), failures)
    return failures


def add_parts(report: Report, parts: Iterable[Part], failures: list[str]) -> None:
    for part in parts:
        try:
            for figure in part():
                report.add_single(figure.name, figure.value, figure.measured)
        except Exception as error:  # Whatever a part meets, the others are measured.
            report.add_failed(part.__name__.replace("_", " "))
            failures.append(f"{part.__name__}: {error!r}"[:3000])


def end_orderly(number: int, _frame: FrameType | None) -> NoReturn:
    """Ends the bench as an error would: what it started is stopped, and its copy is deleted."""
    sys.exit(128 + number)


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Waits until no other bench runs in this checkout."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    sys.exit(main())
