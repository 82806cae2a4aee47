"""Ends this process without acknowledging messages, so that they are read again."""

import os
import threading
import time

import structlog

EXIT_RESTART = 70  # Exit code (EX_SOFTWARE in sysexits.h) of a process that must start again.
LONGEST_SHUTDOWN = 4.0  # Seconds until a shutdown is cut short.

log = structlog.stdlib.get_logger("analytics.shutdown")


def end_process(reason: str, error: Exception | None = None) -> None:
    """Ends the process at once, without a commit of offsets.

    Its supervisor starts it again, and it reads the same messages again.
    """
    log.critical(reason, exc_info=error)
    os._exit(EXIT_RESTART)


def limit_shutdown() -> None:
    """Limits the time of an orderly shutdown, which a silent database or broker would hold up.

    Faust waits for a commit of offsets, and its web server for answers that wait for the database.
    """
    threading.Thread(target=_end_later, name="shutdown", daemon=True).start()


def _end_later() -> None:
    time.sleep(LONGEST_SHUTDOWN)
    log.warning("Something is away and does not let go; we end without it.")
    os._exit(0)
