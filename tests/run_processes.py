"""Finds the processes of a run of `python -m embedded` by the variable that they all have."""

from pathlib import Path

import psutil

from embedded.environment import RUN_VARIABLE


def find_processes(data: Path, words: str = "") -> list[psutil.Process]:
    """Returns the processes with these words in their command line, the oldest first.

    PostgreSQL's children are not among them, because their environment cannot be read.
    """
    found = [
        process
        for process in psutil.process_iter()
        if words in _command_line(process) and _run_folder(process) == str(data)
    ]
    return sorted(found, key=psutil.Process.create_time)


def _command_line(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def _run_folder(process: psutil.Process) -> str | None:
    try:
        return process.environ().get(RUN_VARIABLE)
    except (psutil.Error, OSError):  # Ended meanwhile, or not ours to look into.
        return None
