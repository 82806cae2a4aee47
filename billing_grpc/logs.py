"""Logs as JSON lines on standard error; no line names a patient."""

import logging
import sys
from typing import Any

import structlog
from structlog.typing import EventDict, WrappedLogger


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
    final = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, _error_without_text]
    lines.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared, processors=[*final, structlog.processors.JSONRenderer()]
        )
    )
    logging.basicConfig(level=logging.WARNING, handlers=[lines], force=True)
    logging.getLogger("billing").setLevel(level)


def _error_without_text(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Keeps an error's kind and place and drops its text: a database error quotes the row."""
    info = event.pop("exc_info", None)
    error = info[1] if isinstance(info, tuple) else info
    if isinstance(error, BaseException):
        event["error"] = type(error).__name__
        event["at"] = _places(error)[-6:]
    return event


def _places(error: BaseException) -> list[str]:
    places, trace = [], error.__traceback__
    while trace is not None:
        places.append(f"{trace.tb_frame.f_globals.get('__name__')}:{trace.tb_lineno}")
        trace = trace.tb_next
    return places
