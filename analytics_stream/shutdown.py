"""The ways in which this process ends before its time: nothing is acknowledged, so that the same is read again."""

import os
import threading
import time

import structlog

LOST = 70  # The exit code (EX_SOFTWARE in sysexits.h) of a process that must be started again.
LONGEST_ENDING = 4.0  # seconds

log = structlog.stdlib.get_logger("analytics.ending")


def end_process(reason: str, error: Exception | None = None) -> None:
    """End at once, without a commit of offsets: whoever starts us again lets us read the same messages again."""
    log.critical(reason, exc_info=error)
    os._exit(LOST)


def end_in_time() -> None:
    """Let the process end in order, but not for ever: a database or a broker that is silent would hold it for minutes.

    Faust waits for a commit of offsets, and its web server for answers that wait for the database.
    """
    threading.Thread(target=_end_later, name="ending", daemon=True).start()


def _end_later() -> None:
    time.sleep(LONGEST_ENDING)
    log.warning("Something is away and does not let go; we end without it.")
    os._exit(0)
