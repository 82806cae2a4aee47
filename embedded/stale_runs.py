"""One run for one data folder, and the end of what a killed run left behind."""

import fcntl
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from embedded.environment import MARK


class AlreadyRunning(Exception):
    """Another run holds the folder."""


@contextmanager
def only_run(data: Path) -> Iterator[None]:
    """Hold `data` for the block. The lock goes with the process, so a killed run leaves none behind.

    Raises AlreadyRunning when another run holds it.
    """
    data.mkdir(parents=True, exist_ok=True)
    with (data / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunning(
                f"Another run uses {data}. End it first, or give this one a folder: --data."
            ) from None
        yield


def end_leftovers(data: Path) -> None:
    """End what still carries the mark of `data`, PostgreSQL last. Call it with the lock held.

    Of PostgreSQL only the server itself is found: its own children have no environment left to read.
    """
    ours = {process.pid for process in (psutil.Process(), *psutil.Process().parents())}
    left = [
        process
        for process in psutil.process_iter()
        if process.pid not in ours and _carries_mark(process, data)
    ]
    end_all([process for process in left if not _is_postgres(process)], by=signal.SIGTERM)
    end_all([process for process in left if _is_postgres(process)], by=signal.SIGINT)


def end_orphans(data: Path) -> None:
    """End the sessions of a PostgreSQL that was killed: they hold its memory, and no successor starts beside them."""
    with suppress(OSError, ValueError, psutil.NoSuchProcess):
        server = psutil.Process(int((data / "postmaster.pid").read_text().split()[0]))
        if _works_in(server, data) and _is_alive(server):
            return  # It runs, and so these are no orphans.
    end_all(
        [process for process in psutil.process_iter() if _works_in(process, data)],
        by=signal.SIGQUIT,
    )


def end_all(
    processes: list[psutil.Process], *, by: signal.Signals, patience_seconds: float = 20
) -> None:
    """Ask all of them, then insist. Returns when none is alive."""
    for number in (by, signal.SIGKILL):
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)
        deadline = time.monotonic() + patience_seconds
        while (
            processes := [process for process in processes if _is_alive(process)]
        ) and time.monotonic() < deadline:
            time.sleep(0.05)


def _is_alive(process: psutil.Process) -> bool:
    """A process that nobody has waited for is dead all the same, once its last thread is and has let go of its ports.

    In a container it may stay so for long.
    """
    with suppress(psutil.NoSuchProcess):
        return process.is_running() and (
            process.status() != psutil.STATUS_ZOMBIE or process.num_threads() > 1
        )
    return False


def _carries_mark(process: psutil.Process, data: Path) -> bool:
    try:
        return process.environ().get(MARK) == str(data)
    except (psutil.Error, OSError):  # Ended meanwhile, or not ours to look into.
        return False


def _works_in(process: psutil.Process, data: Path) -> bool:
    """PostgreSQL's processes all stand in their data folder."""
    with suppress(psutil.Error, OSError):
        return _is_postgres(process) and process.cwd() == str(data)
    return False


def _is_postgres(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return process.name() == "postgres"
    return False
