"""What `python -m embedded run` does, with a command and without."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from embedded.banner import banner
from embedded.environment import MARK, ROOT, chosen
from embedded.programs import private_file
from embedded.secrets import read
from embedded.servers import servers
from embedded.stack import prepare, processes, refuse_busy_ports

JOIN_SECONDS = 60


def run_portal(data: Path) -> int:
    """The whole portal, until a signal ends it. Raises RuntimeError that says what stood in the way."""
    refuse_busy_ports(chosen())
    with _serving(data) as environment:
        print("The servers run. Preparing databases, topics and demo data ...", flush=True)
        prepare(environment, root=ROOT)
        with processes(environment, root=ROOT):
            print(banner(environment), flush=True)
            while True:
                signal.pause()


def run_command(data: Path, command: list[str]) -> int:
    """One command on servers of its own; answers its exit code."""
    with _serving(data) as environment:
        return _run(command, environment)


def join_with(data: Path, command: list[str]) -> int:
    """One command on the servers of the run that holds `data`."""
    file, deadline = _file(data), time.monotonic() + JOIN_SECONDS
    while not file.exists():
        if time.monotonic() > deadline:
            print(
                f"Another run holds {data}, but its servers did not start in {JOIN_SECONDS} s.",
                file=sys.stderr,
            )
            return 1
        time.sleep(0.1)
    return _run(command, {**os.environ, **read(file)})


@contextmanager
def _serving(data: Path) -> Iterator[dict[str, str]]:
    """The servers, and their addresses in a file that only we may read, for those who join."""
    os.environ[MARK] = str(data)
    file = _file(data)
    file.unlink(missing_ok=True)
    with servers(data, chosen()) as environment:
        ours = {
            name: value for name, value in environment.items() if os.environ.get(name) != value
        } | {MARK: str(data)}
        private_file(file, "".join(f"{name}={value}\n" for name, value in ours.items()))
        try:
            yield environment
        finally:
            file.unlink(missing_ok=True)


def _file(data: Path) -> Path:
    return data / "run.env"


def _run(command: list[str], environment: dict[str, str]) -> int:
    """Its exit code, as a shell gives it. SIGTERM is passed on. Ctrl-C the terminal sends there itself."""
    process: subprocess.Popen[bytes] | None = None
    is_asked = False

    def pass_on(*_: object) -> None:
        nonlocal is_asked
        is_asked = True
        if process is not None:
            process.terminate()

    signal.signal(signal.SIGINT, lambda *_: None)
    signal.signal(signal.SIGTERM, pass_on)
    process = subprocess.Popen(command, env=environment)
    if is_asked:  # While it was being started.
        process.terminate()
    code = process.wait()
    return code if code >= 0 else 128 - code
