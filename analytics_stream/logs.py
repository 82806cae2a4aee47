"""Logs as JSON lines on standard error; nothing in them may name a patient."""

import logging
import sys
import time
from typing import Any

import structlog
from structlog.typing import EventDict, WrappedLogger

QUIET_SECONDS = 60.0


def log_as_json(level: str) -> None:
    """Send our own lines and those of libraries through one formatter."""
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
    final = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, _error_without_text]
    lines.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared, processors=[*final, structlog.processors.JSONRenderer()]
        )
    )
    lines.addFilter(Rarely())
    logging.basicConfig(level=logging.WARNING, handlers=[lines], force=True)
    logging.getLogger("analytics").setLevel(level)


class Rarely(logging.Filter):
    """Lets a library say the same only once a minute: aiokafka writes fifty lines a second while a broker is away."""

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        now, said = time.monotonic(), (record.name, str(record.msg))
        if (
            record.name.startswith("analytics.")
            or now - self._said.get(said, -QUIET_SECONDS) >= QUIET_SECONDS
        ):
            self._said[said] = now
            return True
        return False


def _error_without_text(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Keep an error's kind and place, drop its text: database errors quote the row that they refuse."""
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
