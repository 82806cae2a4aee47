"""Allows one run for each data folder, and ends the processes that a killed run left behind."""

import fcntl
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from embedded.environment import RUN_VARIABLE


class AlreadyRunning(Exception):
    """Another run holds the folder."""


@contextmanager
def lock_folder(data: Path) -> Iterator[None]:
    """Locks `data` for the block. A killed run leaves no lock behind, because it ends with the
    process.

    Raises AlreadyRunning when another run holds the lock.
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


def end_stale_processes(data: Path) -> None:
    """Ends the processes of an earlier run on `data`, PostgreSQL last. The caller holds the lock.

    PostgreSQL's children are not found, because their environment cannot be read.
    """
    ours = {process.pid for process in (psutil.Process(), *psutil.Process().parents())}
    left = [
        process
        for process in psutil.process_iter()
        if process.pid not in ours and _belongs_to(process, data)
    ]
    end_processes([process for process in left if not _is_postgres(process)], by=signal.SIGTERM)
    end_processes([process for process in left if _is_postgres(process)], by=signal.SIGINT)


def end_orphans(data: Path) -> None:
    """Ends the sessions of a PostgreSQL that was killed.

    They hold its shared memory, and no successor can start until they end.
    """
    with suppress(OSError, ValueError, psutil.NoSuchProcess):
        server = psutil.Process(int((data / "postmaster.pid").read_text().split()[0]))
        if _works_in(server, data) and _is_alive(server):
            return  # The server runs, so its sessions are no orphans.
    end_processes(
        [process for process in psutil.process_iter() if _works_in(process, data)],
        by=signal.SIGQUIT,
    )


def end_processes(
    processes: list[psutil.Process], *, by: signal.Signals, patience_seconds: float = 20
) -> None:
    """Sends the signal to all, then SIGKILL. Returns when none is alive."""
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
    """Tells whether the process still holds resources, such as its ports.

    A zombie counts as dead once its last thread is dead. In a container it may stay one for long.
    """
    with suppress(psutil.NoSuchProcess):
        return process.is_running() and (
            process.status() != psutil.STATUS_ZOMBIE or process.num_threads() > 1
        )
    return False


def _belongs_to(process: psutil.Process, data: Path) -> bool:
    try:
        return process.environ().get(RUN_VARIABLE) == str(data)
    except (psutil.Error, OSError):  # Ended meanwhile, or not ours to look into.
        return False


def _works_in(process: psutil.Process, data: Path) -> bool:
    """Tells whether it is a PostgreSQL of `data`, the working folder of all its processes."""
    with suppress(psutil.Error, OSError):
        return _is_postgres(process) and process.cwd() == str(data)
    return False


def _is_postgres(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return process.name() == "postgres"
    return False
