"""Measures how long a scan for possible duplicates takes, and what it needs.

Run `python -m tests.bench.pairs --patients 300000`. Names are as common as real ones. Of two
hundred people one is registered twice, half of these with another spelling. One in a hundred has a
birth date that stands for "not known".
"""

import argparse
import json
import os
import subprocess
import sys
import time

from tests.bench.filled import filled_portal, without_triggers

DOUBLES = """
    INSERT INTO patients_patient (family_name, given_name, sex, date_of_birth, phone)
    SELECT CASE WHEN n % 2 = 0 THEN family_name
            ELSE overlay(family_name PLACING 'e' FROM 3 FOR 1) END,
        given_name, sex, date_of_birth, phone
    FROM (
        SELECT *, row_number() OVER () AS n FROM patients_patient WHERE status = 'active'
    ) AS people
    WHERE n % 400 < 2;
    UPDATE patients_patient SET date_of_birth = '1900-01-01' WHERE id IN (
        SELECT id FROM patients_patient ORDER BY random()
        LIMIT (SELECT count(*) / 100 FROM patients_patient));
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, default=300_000)
    with filled_portal(parser.parse_args().patients):
        measure()


def measure() -> None:
    with without_triggers() as cursor:
        cursor.execute(DOUBLES)
    print("| scan | seconds | memory | compared | new | left out | taken off | to be decided |")
    print("|---|---|---|---|---|---|---|---|")
    for which in ("the first", "the next night"):
        seconds, peak, figures = scan()
        names = ("compared", "new", "left_out", "taken_off", "open")
        counts = " | ".join(f"{figures[name]:,}" for name in names)
        print(f"| {which} | {seconds:.0f} | {peak:,} MB | {counts} |")
    show_kinds()


def scan() -> tuple[float, int, dict[str, int]]:
    """Runs a scan. Returns seconds, peak memory in MB, and the figures of the command."""
    began = time.monotonic()
    with subprocess.Popen(
        [sys.executable, "manage.py", "find_duplicates", "--json"], stdout=subprocess.PIPE
    ) as process:
        figures = json.loads(process.stdout.read())
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return time.monotonic() - began, used.ru_maxrss // 1024, figures


def show_kinds() -> None:
    """Prints how many pairs the list has, by grade and reasons."""
    from django.db import connection

    print("\n| grade | reasons | pairs |\n|---|---|---|")
    with connection.cursor() as cursor:
        cursor.execute("""
            SELECT grade, array_to_string(reasons, ', '), count(*) FROM patients_possibleduplicate
            GROUP BY 1, 2 ORDER BY 1, 3 DESC LIMIT 20
        """)
        for grade, reasons, pairs in cursor:
            print(f"| {grade} | {reasons} | {pairs:,} |")


if __name__ == "__main__":
    main()
