"""Starts a portal of its own, measures it from outside, and prints a table."""

import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil

from tests.bench.people import write_people
from tests.end_to_end.system import System, running
from tests.waits import wait_for

REGISTRATIONS = 20
FILES = (200, 5_000)  # rows of each file that is imported
REST_SECONDS = 20  # before the memory is measured


def main() -> None:
    kafka = os.environ.get("KAFKA") or "embedded"
    memory = psutil.virtual_memory().total / 2**30
    load, _, _ = psutil.getloadavg()
    print(f"{psutil.cpu_count()} cores with a load of {load:.1f} before, {memory:.0f} GB,", end=" ")
    print(f"Python {platform.python_version()}, Kafka {kafka}\n\n| what | measured |\n|---|---|")
    with tempfile.TemporaryDirectory(prefix="portal-bench-") as folder:
        with started("first start, until the banner", Path(folder), kafka):
            pass
        with started("next start, until the banner", Path(folder), kafka) as system:
            measure(system)


@contextmanager
def started(what: str, data: Path, kafka: str) -> Iterator[System]:
    """Starts a portal for the block, and prints how long it took until it was ready."""
    began = time.monotonic()
    with running(data, kafka=kafka) as system:
        print_row(what, f"{time.monotonic() - began:.1f} s")
        yield system


def measure(system: System) -> None:
    time.sleep(REST_SECONDS)
    print_row("memory at rest, all processes and servers", memory_at_rest())
    with system.api("operator") as api:
        times = [register(api, number) for number in range(REGISTRATIONS)]
        for at, what in enumerate(("the answer", "an active account", "a moved figure")):
            taken = [seconds[at] for seconds in times]
            words = f"median {statistics.median(taken):.2f} s, longest {max(taken):.2f} s"
            print_row(f"registration to {what}", words)
        for count in FILES:
            print_row(
                f"import of {count:,} people, all with accounts and counted",
                import_people(system, api, count),
            )


def memory_at_rest() -> str:
    """Returns the sum of Pss, which divides shared pages; the sum of Rss counts them each time."""
    sizes = [process.memory_full_info() for process in psutil.Process().children(recursive=True)]
    pss, rss = sum(size.pss for size in sizes), sum(size.rss for size in sizes)
    return f"{pss // 2**20} MB (sum of Rss: {rss // 2**20} MB)"


def register(api: httpx.Client, number: int) -> list[float]:
    """Registers, and returns the seconds to the answer, the active account and the figure."""
    before, began = count_patients(api), time.monotonic()
    answer = api.post(
        "/api/patients", json={"name": f"Bench Person{number}", "dateOfBirth": "1990-01-01"}
    )
    place = answer.raise_for_status().headers["Location"]
    seen = [time.monotonic() - began, 0.0, 0.0]
    waits: dict[int, Callable[[], bool]] = {
        1: lambda: api.get(place).json()["billing"]["status"] == "active",
        2: lambda: count_patients(api) > before,
    }
    while not all(seen):
        for at, is_there in waits.items():
            seen[at] = seen[at] or (time.monotonic() - began if is_there() else 0.0)
    return seen


def import_people(system: System, api: httpx.Client, count: int) -> str:
    file = system.data / f"people-{count}.csv"
    write_people(file, count)
    before, began = count_patients(api), time.monotonic()
    done = system.command(
        "import_patients", str(file), "--rejects", str(file.with_suffix(".rejects"))
    )
    ended = time.monotonic() - began
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    wait_for(
        lambda: count_patients(api) == before + count and not figures(api)["billing"]["pending"],
        seconds=300,
    )
    return f"{time.monotonic() - began:.1f} s, the command alone {ended:.1f} s"


def count_patients(api: httpx.Client) -> int:
    return figures(api)["totals"]["active"]


def figures(api: httpx.Client) -> dict:
    return api.get("/api/analytics").raise_for_status().json()


def print_row(what: str, value: str) -> None:
    print(f"| {what} | {value} |", flush=True)


if __name__ == "__main__":
    main()
