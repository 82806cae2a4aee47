"""Starts and ends the programs behind the embedded servers, and waits for them."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

POLL_SECONDS = 0.05  # Between two looks whether a program is ready.
START_SECONDS = 60  # A program that is not ready by then has failed.
LOG_TAIL = 2000  # Characters of a log or output that an error quotes.
LOG_BYTES = 5_000_000  # A larger log is set aside when its server starts.


def start(
    command: Sequence[str | Path], *, log: Path, cwd: Path, **options: Any
) -> subprocess.Popen[bytes]:
    """Starts a server. The terminal's Ctrl-C does not reach it: it ends after its clients."""
    if log.exists() and log.stat().st_size > LOG_BYTES:
        log.replace(log.with_name(f"{log.name}.1"))
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            stdin=options.pop("stdin", subprocess.DEVNULL),
            stdout=output,
            stderr=output,
            cwd=cwd,
            start_new_session=True,
            **options,
        )


def wait_until(
    is_ready: Callable[[], bool], *, name: str, process: subprocess.Popen[bytes], log: Path
) -> None:
    """Waits until the program is ready.

    Raises RuntimeError with the end of the log when the program ends, or is not ready in a minute.
    """
    deadline = time.monotonic() + START_SECONDS
    while not is_ready():
        if process.poll() is not None or time.monotonic() > deadline:
            tail = log.read_text(errors="replace")[-LOG_TAIL:]
            raise RuntimeError(f"{name} did not start, see {log}:\n{tail}")
        time.sleep(POLL_SECONDS)


def end(
    process: subprocess.Popen[bytes], *, by: signal.Signals = signal.SIGTERM, seconds: float = 15
) -> None:
    """Sends the signal, and SIGKILL when that does not help. Returns when the program is gone."""
    if process.stdin is not None:
        process.stdin.close()
    if process.poll() is None:
        process.send_signal(by)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def is_listening(port: int, *, host: str = "127.0.0.1") -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((host, port)) == 0


@contextmanager
def reserve_port(port: int = 0) -> Iterator[int]:
    """Yields `port`, or a free one, of the loopback address, reserved for this block.

    A socket holds the port without listening, so that a server with SO_REUSEADDR, which all of ours
    set, can still have it. Raises RuntimeError when another program has it.
    """
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            held.bind(("127.0.0.1", port))
        except OSError as error:
            raise RuntimeError(
                f"The port {port} cannot be had ({error.strerror}). Set another one."
            ) from None
        yield held.getsockname()[1]


def pick_free_port() -> int:
    with reserve_port() as port:
        return port


def run(command: Sequence[str | Path], *, what: str, **options: Any) -> None:
    """Runs the command to its end. Raises RuntimeError with its output when it fails."""
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **options
    )
    if done.returncode:
        raise RuntimeError(f"{what} failed:\n{done.stdout.strip()[-LOG_TAIL:]}")


def write_private_file(path: Path, text: str) -> None:
    """Writes a file that only its owner may read, completely or not at all."""
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    new.replace(path)
