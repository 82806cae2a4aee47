"""Measures how long an import takes among many patients.

`python -m tests.bench.crowded_import --patients 300000 --rows 5000` fills a PostgreSQL of its own
with names as common and as rare as real ones, then imports new people of such names. It prints
rows a second by the clock, and by the processor time of the import and of its database session,
which other work on the machine hardly changes.
"""

import argparse
import csv
import random
import time
from datetime import date, timedelta
from pathlib import Path

from tests.bench.filled import database_seconds, filled_portal
from tests.bench.names import FAMILIES, GIVEN, rare_names

HEADER = ["last name", "first name", "birthdate", "gender", "phone", "city", "insurance"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, default=300_000)
    parser.add_argument("--rows", type=int, default=5_000)
    options = parser.parse_args()
    with filled_portal(options.patients) as folder:
        measure(folder / "people.csv", options.rows)


def measure(file: Path, rows: int) -> None:
    from portal.imports.services import import_now

    write_people(file, rows)
    database, clock, portal = database_seconds(), time.perf_counter(), time.process_time()
    job = import_now(file, by=None)
    seconds, portal = time.perf_counter() - clock, time.process_time() - portal
    database = database_seconds() - database
    alike = f"{job.alike_count:,} of them with a possible duplicate"
    print(f"{job.status}: {rows:,} rows, {job.new_count:,} new, {alike}")
    print(f"by the clock {rows / seconds:,.0f} rows/s,", end=" ")
    print(f"by processor time {rows / (portal + database):,.0f} rows/s", end=" ")
    print(f"(portal {portal:.1f} s, database {database:.1f} s)", flush=True)


def write_people(file: Path, count: int) -> None:
    """Writes people with the same names as the patients, and the same people every time."""
    dice, rare = random.Random(count), rare_names(20_000)
    family, given = [*FAMILIES, *rare], [*GIVEN, *rare[:3000]]

    def draw(names: list[str]) -> str:
        return names[int(len(names) * dice.random() ** 2.3)]

    with file.open("w", newline="") as output:
        rows = csv.writer(output)
        rows.writerow(HEADER)
        for number in range(count):
            born = date(1930, 1, 1) + timedelta(days=dice.randrange(34_000))
            phone = f"617 {dice.randrange(200, 900)} {dice.randrange(10_000):04}"
            rows.writerow(
                [
                    draw(family),
                    draw(given),
                    born,
                    dice.choice("MF"),
                    phone,
                    "Boston",
                    f"INS-{number}",
                ]
            )


if __name__ == "__main__":
    main()
