"""A large import on the embedded servers, then a reconciliation.

Run `python -m tests.bench.large_import --patients 200000`. The embedded broker keeps 5 MB of each
partition, much less than such a file makes. Events that the relay sends too far ahead of the stream
processor would be lost, and the reconciliation would say so.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

import psutil

from tests.bench.people import write_people
from tests.end_to_end.system import System, running
from tests.waits import wait_for

LONGEST_SECONDS = 3_600  # until everything is counted


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, default=200_000)
    count = parser.parse_args().patients
    load, _, _ = psutil.getloadavg()
    print(f"{psutil.cpu_count()} cores with a load of {load:.1f} before\n")
    print(f"| {count:,} patients | measured |\n|---|---|")
    with (
        tempfile.TemporaryDirectory(prefix="portal-bench-") as folder,
        running(Path(folder), kafka="embedded") as system,
    ):
        import_people(system, count)
        reconcile(system)


def import_people(system: System, count: int) -> None:
    file = system.data / "people.csv"
    write_people(file, count)
    # The demo patients are counted a moment after the start.
    before = wait_for(system.caught_up, seconds=120)["active"]
    began = time.monotonic()
    done = system.command(
        "import_patients", str(file), "--rejects", str(file.with_suffix(".rejects"))
    )
    ended = time.monotonic() - began
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    print_row("import, the command alone", f"{ended:.0f} s, {count / ended:,.0f} rows/s")
    # Each look takes a new token, since a large import outlives it. The pause saves processor time.
    wait_for(lambda: count_patients(system) == before + count, seconds=LONGEST_SECONDS, pause=1)
    print_row("import, all counted", f"{time.monotonic() - began:.0f} s")
    wait_for(lambda: not system.figures()["billing"]["pending"], seconds=LONGEST_SECONDS, pause=1)
    print_row("import, all with an account", f"{time.monotonic() - began:.0f} s")


def count_patients(system: System) -> int:
    return system.figures()["totals"]["active"]


def reconcile(system: System) -> int:
    """Prints what the reconciliation found, and returns its exit code."""
    began = time.monotonic()
    done = system.command("reconcile", "--json")
    report = json.loads(done.stdout)
    print_row(
        "`manage.py reconcile` after it",
        f"exit {done.returncode}, {time.monotonic() - began:.0f} s",
    )
    for store in report["stores"]:
        print_row(
            store["store"],
            f"{store['patients']:,} patients, {store['changes']} changes {store['note']}",
        )
    print(report["byKind"], report["message"])
    return done.returncode


def print_row(what: str, value: str) -> None:
    print(f"| {what} | {value} |", flush=True)


if __name__ == "__main__":
    main()
