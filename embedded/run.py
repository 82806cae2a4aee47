"""The work of `python -m embedded run`, with a command and without."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from embedded.banner import banner
from embedded.environment import ROOT, RUN_VARIABLE, read_settings, variable_names
from embedded.programs import write_private_file
from embedded.secrets import read_variables
from embedded.servers import run_servers
from embedded.stack import prepare, refuse_busy_ports, run_processes

LOGS = "logs"  # The folder, in that of the run, for what the processes say.
JOIN_SECONDS = 60  # Longest wait for the servers of another run.


def run_portal(data: Path) -> int:
    """Runs the whole portal until a signal ends it. Raises RuntimeError with what to change."""
    refuse_busy_ports(read_settings())
    with _run_servers(data) as environment:
        environment["STATIC_ROOT"] = str(data / "static")
        print("The servers run. Preparing databases, topics and demo data ...", flush=True)
        prepare(environment, root=ROOT)
        with run_processes(environment, root=ROOT, logs=data / LOGS):
            print(banner(environment, logs=data / LOGS), flush=True)
            while True:
                signal.pause()


def run_command(data: Path, command: list[str]) -> int:
    """Runs one command on servers of its own and returns its exit code."""
    with _run_servers(data) as environment:
        return _run(command, environment)


def join_run(data: Path, command: list[str]) -> int:
    """Runs one command on the servers of the run that holds `data` and returns its exit code."""
    file, deadline = _file(data), time.monotonic() + JOIN_SECONDS
    while not file.exists():
        if time.monotonic() > deadline:
            print(
                f"Another run holds {data}, but its servers did not start in {JOIN_SECONDS} s.",
                file=sys.stderr,
            )
            return 1
        time.sleep(0.1)
    return _run(command, {**os.environ, **read_variables(file)})


def show_users(data: Path) -> int:
    """Prints again how to sign in to the run that holds `data`; returns 1 where there is none."""
    if not _file(data).exists():
        print("Nothing runs. Start it with: make run", file=sys.stderr)
        return 1
    print(banner(read_variables(_file(data)), logs=data / LOGS))
    return 0


@contextmanager
def _run_servers(data: Path) -> Iterator[dict[str, str]]:
    """Runs the servers, and writes their addresses to a private file for commands that join."""
    os.environ[RUN_VARIABLE] = str(data)
    file = _file(data)
    file.unlink(missing_ok=True)
    with run_servers(data, read_settings()) as environment:
        # What the shell set belongs to the run: another shell has to see the same time zone.
        ours = variable_names()
        added = {
            name: value
            for name, value in environment.items()
            if name in ours or os.environ.get(name) != value
        }
        added[RUN_VARIABLE] = str(data)
        write_private_file(file, "".join(f"{name}={value}\n" for name, value in added.items()))
        try:
            yield environment
        finally:
            file.unlink(missing_ok=True)


def _file(data: Path) -> Path:
    return data / "run.env"


def _run(command: list[str], environment: dict[str, str]) -> int:
    """Runs the command and returns its exit code, as a shell gives it.

    SIGTERM is passed on. The terminal sends Ctrl-C to the command itself.
    """
    process: subprocess.Popen[bytes] | None = None
    is_terminated = False

    def pass_on(*_: object) -> None:
        nonlocal is_terminated
        is_terminated = True
        if process is not None:
            process.terminate()

    signal.signal(signal.SIGINT, lambda *_: None)
    signal.signal(signal.SIGTERM, pass_on)
    process = subprocess.Popen(command, env=environment)
    if is_terminated:  # The signal came while the command was being started.
        process.terminate()
    code = process.wait()
    return code if code >= 0 else 128 - code
