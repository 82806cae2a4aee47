"""`make bench`: the product as shipped beside a plain baseline, in one table.

ROWS, ONLY, SECONDS, ROUNDS and CONNECTIONS make a run shorter; see `options`.
"""

import platform
import sys

import psutil

from tests.bench import table
from tests.bench.load import WrongAnswer
from tests.bench.measure import measure_row
from tests.bench.options import Options
from tests.bench.plain import started_plain
from tests.bench.product import started_product
from tests.bench.rows import Asked, rows
from tests.bench.storage import filled_copy


def main() -> int:
    options = Options.read(sys.argv[1:])
    print(machine(), flush=True)
    with (
        filled_copy(options.rows) as folder,
        started_product(folder) as product,
        started_plain(product) as plain,
    ):
        print(f"ready after {product.ready_seconds:.1f} s\n", flush=True)
        asked = Asked(product, plain if "plain" in options.systems else None, options.rows)
        failures = show_rows(asked, options)
    print(f"\nload at the end {load()}")
    for failure in failures:
        print(f"\n{failure}", file=sys.stderr)
    return len(failures) > 0


def show_rows(asked: Asked, options: Options) -> list[str]:
    """Prints the table, line by line. Returns what went wrong: such a row is left out."""
    failures = []
    print(table.head(), flush=True)
    for row in rows():
        for count in options.connections if options.wants(row.name) else ():
            try:
                systems = measure_row(row, asked, options, count)
            except WrongAnswer as error:
                failures.append(f"{row.name}: {error}")
            else:
                print(table.line(row.name, count, systems), flush=True)
    return failures


def machine() -> str:
    memory = psutil.virtual_memory().total / 2**30
    cores = f"{psutil.cpu_count()} cores, {memory:.0f} GB, Python {platform.python_version()}"
    return f"{cores}, load before {load()}"


def load() -> str:
    return ", ".join(f"{value:.1f}" for value in psutil.getloadavg())


if __name__ == "__main__":
    sys.exit(main())
