"""The processes of a run of `python -m embedded`, by the mark that they carry."""

from pathlib import Path

import psutil

from embedded.environment import RUN_VARIABLE


def find_processes(data: Path, words: str = "") -> list[psutil.Process]:
    """Those with these words in their command line, the oldest first. Of PostgreSQL it finds the server alone."""
    found = [
        one
        for one in psutil.process_iter()
        if words in _command_line(one) and _mark(one) == str(data)
    ]
    return sorted(found, key=psutil.Process.create_time)


def _command_line(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def _mark(process: psutil.Process) -> str | None:
    try:
        return process.environ().get(RUN_VARIABLE)
    except (psutil.Error, OSError):  # Ended meanwhile, or not ours to look into.
        return None
