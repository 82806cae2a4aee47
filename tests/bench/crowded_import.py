"""Measures how long an import takes among many patients.

`python -m tests.bench.crowded_import --patients 300000 --rows 5000` fills a PostgreSQL of its own
with names as common and as rare as real ones, then imports new people of such names. It prints
rows a second by the clock, and by the processor time of the import, of the process that reads for
it, and of its database session, which other work on the machine hardly changes.
"""

import argparse
import os
import time
from pathlib import Path

from tests.bench.filled import database_seconds, filled_portal
from tests.bench.people import write_people


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, default=300_000)
    parser.add_argument("--rows", type=int, default=5_000)
    options = parser.parse_args()
    with filled_portal(options.patients) as folder:
        measure(folder / "people.csv", options.rows)


def measure(file: Path, rows: int) -> None:
    from portal.imports.services import import_now

    write_people(file, rows, are_common=True)
    database, clock, portal = database_seconds(), time.perf_counter(), portal_seconds()
    job = import_now(file, by=None)
    seconds, portal = time.perf_counter() - clock, portal_seconds() - portal
    database = database_seconds() - database
    alike = f"{job.alike_count:,} of them with a possible duplicate"
    print(f"{job.status}: {rows:,} rows, {job.new_count:,} new, {alike}")
    print(f"by the clock {rows / seconds:,.0f} rows/s,", end=" ")
    print(f"by processor time {rows / (portal + database):,.0f} rows/s", end=" ")
    print(f"(portal {portal:.1f} s, database {database:.1f} s)", flush=True)


def portal_seconds() -> float:
    """Returns the processor time so far, with that of child processes that have ended."""
    return sum(os.times()[:4])


if __name__ == "__main__":
    main()
