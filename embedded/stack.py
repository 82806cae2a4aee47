"""The whole portal on the embedded servers: migrated, with demo data, its processes running and ready."""

import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from embedded import programs
from embedded.environment import PORTS, host
from embedded.processes import Processes

READY_SECONDS = 90
DYING_SECONDS = 2


def refuse_busy_ports(chosen: Mapping[str, str]) -> None:
    """Raises RuntimeError that names the variable to set for each port that somebody else has.

    Whoever was killed a moment ago may still have his: the last thing that a process gives back are its ports.
    """
    deadline = time.monotonic() + DYING_SECONDS
    while busy := [
        f"{name}={chosen[name]}" for name in (*PORTS, "KAFKA_PORT") if _is_busy(chosen, name)
    ]:
        if time.monotonic() > deadline:
            raise RuntimeError(
                f"In use by another program: {', '.join(busy)}. Set another port, in the shell or in .env."
            )
        time.sleep(0.1)


def prepare(environment: Mapping[str, str], *, root: Path) -> None:
    """Bring the three databases up to date side by side; make topics and demo data."""
    portal = ["migrate --no-input --verbosity 0", "create_topics", "seed_demo --if-empty"]
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
    for run in runs:
        run.result()


@contextmanager
def processes(environment: Mapping[str, str], *, root: Path) -> Iterator[None]:
    """Run the Procfile for the block, which begins when the portal answers and analytics reads the topic."""
    running = Processes(root / "Procfile", environment)
    running.start()
    try:
        for port in ("PORTAL_INTERNAL_PORT", "ANALYTICS_PORT"):
            _wait_until_ready(f"http://{host(environment)}:{environment[port]}/health/ready")
        yield
    finally:
        running.end()


def _is_busy(chosen: Mapping[str, str], name: str) -> bool:
    port = int(chosen.get(name) or 0)
    return port > 0 and programs.is_listening(port, host=host(chosen))


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
