"""Logs as JSON lines on standard error; nothing in them may name a patient."""

import logging
import sys
import time
from typing import Any

import structlog
from structlog.typing import EventDict, WrappedLogger

QUIET_SECONDS = 60.0  # A library's repeated line is left out for so long.


def log_as_json(level: str) -> None:
    """Sends our own lines and those of libraries through one formatter."""
    shared: list[Any] = [
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    lines = logging.StreamHandler(sys.stderr)
    final = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, _drop_error_text]
    lines.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared, processors=[*final, structlog.processors.JSONRenderer()]
        )
    )
    lines.addFilter(RepeatFilter())
    logging.basicConfig(level=logging.WARNING, handlers=[lines], force=True)
    logging.getLogger("analytics").setLevel(level)


class RepeatFilter(logging.Filter):
    """Lets a library write the same line only once a minute.

    aiokafka writes fifty lines a second while a broker is away.
    """

    def __init__(self) -> None:
        super().__init__()
        self._written_at: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.startswith("analytics."):
            return True
        now, line = time.monotonic(), (record.name, str(record.msg))
        if now - self._written_at.get(line, -QUIET_SECONDS) < QUIET_SECONDS:
            return False
        self._written_at[line] = now
        return True


def _drop_error_text(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Keeps an error's kind and place, and drops its text: database errors quote the row that they
    refuse."""
    info = event.pop("exc_info", None)
    error = info[1] if isinstance(info, tuple) else info
    if isinstance(error, BaseException):
        event["error"] = type(error).__name__
        event["event"] = str(event["event"]).replace(repr(error), type(error).__name__)
        event["at"] = _places(error)[-6:]
    return event


def _places(error: BaseException) -> list[str]:
    places, trace = [], error.__traceback__
    while trace is not None:
        places.append(f"{trace.tb_frame.f_globals.get('__name__')}:{trace.tb_lineno}")
        trace = trace.tb_next
    return places
