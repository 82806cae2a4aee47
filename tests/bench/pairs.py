"""How long a scan for possible duplicates takes, and what it needs: `python -m tests.bench.pairs --patients 300000`.

Names are as common as people's are; one in two hundred is there twice, half of those written differently the second
time, and one in a hundred has a day of birth that stands for "not known".
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
    SELECT CASE WHEN n % 2 = 0 THEN family_name ELSE overlay(family_name PLACING 'e' FROM 3 FOR 1) END,
        given_name, sex, date_of_birth, phone
    FROM (SELECT *, row_number() OVER () AS n FROM patients_patient WHERE status = 'active') AS people
    WHERE n % 400 < 2;
    UPDATE patients_patient SET date_of_birth = '1900-01-01' WHERE id IN (
        SELECT id FROM patients_patient ORDER BY random() LIMIT (SELECT count(*) / 100 FROM patients_patient));
"""


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--patients", type=int, default=300_000)
    with filled_portal(asked.parse_args().patients):
        measure()


def measure() -> None:
    with without_triggers() as cursor:
        cursor.execute(DOUBLES)
    print("| scan | seconds | memory | compared | new | left out | taken off | to be decided |")
    print("|---|---|---|---|---|---|---|---|")
    for which in ("the first", "the next night"):
        seconds, peak, told = scan()
        names = ("compared", "new", "left_out", "taken_off", "open")
        print(
            f"| {which} | {seconds:.0f} | {peak:,} MB | "
            + " | ".join(f"{told[one]:,}" for one in names)
            + " |"
        )
    show_kinds()


def scan() -> tuple[float, int, dict[str, int]]:
    """Seconds, peak of the process's memory in MB, and the figures of `manage.py find_duplicates`."""
    began = time.monotonic()
    with subprocess.Popen(
        [sys.executable, "manage.py", "find_duplicates", "--json"], stdout=subprocess.PIPE
    ) as process:
        told = json.loads(process.stdout.read())
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return time.monotonic() - began, used.ru_maxrss // 1024, told


def show_kinds() -> None:
    """What the pairs on the list agree in, and how many of each kind."""
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
