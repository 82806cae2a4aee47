"""One run for one data folder, and the end of what a killed run left behind."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from embedded.environment import MARK
from embedded.postgres import end_leftover

STOP_SECONDS = 10


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
            raise AlreadyRunning(f"Another run uses {data}. End it first, or give this one a folder: --data.") from None
        yield


def end_leftovers(data: Path) -> None:
    """End what still carries the mark of `data`, PostgreSQL last. Call it with the lock held."""
    ours = {process.pid for process in (psutil.Process(), *psutil.Process().parents())}
    left = [process for process in psutil.process_iter() if process.pid not in ours and _carries_mark(process, data)]
    clients = [process for process in left if not _is_postgres(process)]
    for process in clients:
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    _, stubborn = psutil.wait_procs(clients, timeout=STOP_SECONDS)
    for process in stubborn:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(stubborn, timeout=STOP_SECONDS)
    end_leftover(data / "postgres")


def _is_postgres(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return process.name() == "postgres"
    return False


def _carries_mark(process: psutil.Process, data: Path) -> bool:
    try:
        return process.environ().get(MARK) == str(data)
    except (psutil.Error, OSError):  # Ended meanwhile, or not ours to look into.
        return False
