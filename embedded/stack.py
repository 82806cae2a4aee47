"""Prepares the whole portal on the embedded servers and runs its processes."""

import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg2

from embedded import programs
from embedded.environment import PORTS, reachable_host
from embedded.processes import Processes
from embedded.static_files import collect_static_files

READY_SECONDS = 90  # Longest wait until the portal and analytics are ready.
DYING_SECONDS = 2  # Longest wait for the ports of a process that was killed a moment ago.


def refuse_busy_ports(settings: Mapping[str, str]) -> None:
    """Raises RuntimeError that names the variable of each port that another program has.

    A process that was killed a moment ago may still have its ports, which it gives back last.
    """
    deadline = time.monotonic() + DYING_SECONDS
    while busy := [
        f"{name}={settings[name]}" for name in (*PORTS, "KAFKA_PORT") if _is_busy(settings, name)
    ]:
        if time.monotonic() > deadline:
            raise RuntimeError(
                f"In use by another program: {', '.join(busy)}. "
                "Set another port, in the shell or in .env."
            )
        time.sleep(0.1)


def prepare(environment: Mapping[str, str], *, root: Path) -> None:
    """Brings the three databases up to date side by side, and creates the topics.

    Collects the static files where the environment has a STATIC_ROOT.
    """
    portal = ["migrate --no-input --verbosity 0", "create_topics"]
    steps = {
        "Preparing the portal": ["embedded.commands", *portal],
        "Migrating billing": ["billing_grpc", "migrate"],
        "Migrating analytics": ["analytics_stream", "migrate"],
    }
    with ThreadPoolExecutor() as pool:
        runs = [
            pool.submit(
                programs.run, [sys.executable, "-m", *command], what=what, env=environment, cwd=root
            )
            for what, command in steps.items()
        ]
        if "STATIC_ROOT" in environment:
            runs.append(pool.submit(collect_static_files, environment, root=root))
    for run in runs:
        run.result()


def add_demo(environment: Mapping[str, str], *, root: Path) -> None:
    """Makes the demo users and patients, unless there are patients."""
    if _has_patients(environment["DATABASE_URL"]):
        return
    programs.run(
        [sys.executable, "-m", "embedded.commands", "seed_demo --if-empty"],
        what="Making the demo data",
        env=environment,
        cwd=root,
    )


@contextmanager
def run_processes(environment: Mapping[str, str], *, root: Path, logs: Path) -> Iterator[None]:
    """Runs the Procfile for the block, which begins when the portal and analytics are ready.

    The demo data is made while the processes start. Their lines are in files in the folder `logs`.
    """
    running = Processes(root / "Procfile", environment, logs=logs)
    running.start()
    try:
        with ThreadPoolExecutor() as pool:
            demo = pool.submit(add_demo, environment, root=root)
            _wait_for_processes(environment)
            demo.result()
        yield
    finally:
        running.end()


def _has_patients(url: str) -> bool:
    """Tells whether there are patients, without a second to load the portal."""
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM patients_patient)")
        [has_patients] = cursor.fetchone() or [False]
    return bool(has_patients)


def _wait_for_processes(environment: Mapping[str, str]) -> None:
    for port in ("PORTAL_INTERNAL_PORT", "ANALYTICS_PORT"):
        _wait_until_ready(f"http://{reachable_host(environment)}:{environment[port]}/health/ready")


def _is_busy(settings: Mapping[str, str], name: str) -> bool:
    port = int(settings.get(name) or 0)
    return port > 0 and programs.is_listening(port, host=reachable_host(settings))


def _wait_until_ready(url: str) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not _is_ready(url):
        if time.monotonic() > deadline:
            raise RuntimeError(
                f"Not everything was ready after {READY_SECONDS} s: {url} does not answer 200."
            )
        time.sleep(0.1)


def _is_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - our own http address
            return answer.status == 200
    except OSError:
        return False
