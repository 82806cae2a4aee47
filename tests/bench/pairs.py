"""How long a scan for possible duplicates takes, and what it needs: `python -m tests.bench.pairs --patients 300000`.

Names are as common as people's are; one in two hundred is there twice, half of those written differently the second
time, and one in a hundred has a day of birth that stands for "not known".
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from tests.bench.search import fill
from tests.servers import addresses, databases

DOUBLES = """
    INSERT INTO patients_patient (family_name, given_name, sex, date_of_birth, phone)
    SELECT CASE WHEN n % 2 = 0 THEN family_name ELSE overlay(family_name PLACING 'e' FROM 3 FOR 1) END,
        given_name, sex, date_of_birth, phone
    FROM (SELECT *, row_number() OVER () AS n FROM patients_patient WHERE status = 'active') AS people
    WHERE n % 400 < 2;
    UPDATE patients_patient SET date_of_birth = '1900-01-01' WHERE id IN (
        SELECT id FROM patients_patient ORDER BY random() LIMIT (SELECT count(*) / 100 FROM patients_patient));
    ANALYZE;
"""


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--patients", type=int, default=300_000)
    count = asked.parse_args().patients
    with tempfile.TemporaryDirectory(prefix="portal-bench-") as folder:
        data = Path(folder)
        data.chmod(0o711)  # As root, PostgreSQL runs under another account and has to pass.
        with databases(data / "postgres") as urls:
            environment = {"DJANGO_SETTINGS_MODULE": "portal.settings", "LOG_LEVEL": "ERROR"}
            os.environ.update({**addresses(data), **urls, **environment})
            measure(count)


def measure(count: int) -> None:
    import django
    from django.db import connection

    django.setup()
    fill(count)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE patients_patient DISABLE TRIGGER USER")
        cursor.execute(DOUBLES)
        cursor.execute("ALTER TABLE patients_patient ENABLE TRIGGER USER")
    load, _, _ = psutil.getloadavg()
    print(f"{psutil.cpu_count()} cores with a load of {load:.1f}, {count:,} patients\n")
    print("| scan | seconds | memory | compared | new | left out | taken off | to be decided |")
    print("|---|---|---|---|---|---|---|---|")
    for which in ("the first", "the next night"):
        seconds, peak, told = scan()
        names = ("compared", "new", "left_out", "taken_off", "open")
        print(f"| {which} | {seconds:.0f} | {peak:,} MB | " + " | ".join(f"{told[one]:,}" for one in names) + " |")
    show_kinds()


def scan() -> tuple[float, int, dict[str, int]]:
    """Seconds, peak of the process's memory in MB, and the figures of `manage.py find_duplicates`."""
    began, peak = time.monotonic(), 0
    command = [sys.executable, "manage.py", "find_duplicates", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        watched = psutil.Process(process.pid)
        while process.poll() is None:
            try:
                peak = max(peak, watched.memory_info().rss)
            except psutil.NoSuchProcess:
                break
            time.sleep(0.1)
        told = json.loads(process.stdout.read())
    return time.monotonic() - began, peak // 2**20, told


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
