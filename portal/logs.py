"""Logs as JSON lines on the standard error stream. Nothing in them may name a patient."""

import logging.config
import re
import sys
from typing import Any

import structlog
from structlog.typing import EventDict, WrappedLogger

_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+\.[\w.]+")
_QUERY = re.compile(r"\?\S*")


def log_config(level: str) -> None:
    """Sends every logger of the process through one JSON formatter."""
    # A line that cannot be formatted would be printed with its arguments.
    logging.raiseExceptions = False
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
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
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "json": {
                    "()": structlog.stdlib.ProcessorFormatter,
                    "foreign_pre_chain": shared,
                    "processors": [
                        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                        _exception_without_values,
                        _without_personal_text,
                        structlog.processors.JSONRenderer(),
                    ],
                },
                "ready": {"format": "%(message)s"},
            },
            "handlers": {
                "lines": {"class": "logging.StreamHandler", "formatter": "json"},
                "ready": {"class": "logging.StreamHandler", "formatter": "ready"},
            },
            "root": {"handlers": ["lines"], "level": level},
            "loggers": {
                # What it takes is JSON already, see portal.plain_answers.
                "portal.lines": {"handlers": ["ready"], "propagate": False},
                # A line for each request that has to wait a moment for a thread.
                "waitress.queue": {"level": "ERROR"},
                "kafka": {"level": "ERROR"},
                "axes": {"level": "ERROR"},
                "httpx": {"level": "WARNING"},
                # The library says in every process that Pillow, which we do not use, is missing.
                "pyBarcode": {"level": "WARNING"},
                "django.request": {"level": "ERROR"},
                "django.security.DisallowedHost": {"level": "CRITICAL"},
            },
        }
    )


def _exception_without_values(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Keeps where an exception came from and drops its text: database errors quote the row."""
    info = event.pop("exc_info", None)
    if not info:
        return event
    if info is True:  # `log.exception(…)` means the error that is being handled now.
        info = sys.exc_info()
    kind, _error, trace = (
        info if isinstance(info, tuple) else (type(info), info, info.__traceback__)
    )
    event["exception"] = kind.__name__ if kind else None
    event["at"] = [f"{frame.f_code.co_filename}:{line}" for frame, line in _frames(trace)][-8:]
    return event


def _frames(trace: Any) -> list[tuple[Any, int]]:
    frames = []
    while trace is not None:
        frames.append((trace.tb_frame, trace.tb_lineno))
        trace = trace.tb_next
    return frames


def _without_personal_text(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Blanks e-mail addresses and query strings, which lines of libraries may hold."""
    for key, value in event.items():
        if isinstance(value, str):
            event[key] = _QUERY.sub("?…", _ADDRESS.sub("…@…", value))
    return event
