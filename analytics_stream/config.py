"""Reads the settings from the environment; the error for a bad variable names it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

EXAMPLE = "postgresql://user:password@host:5432/analytics"
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


class WrongConfig(Exception):
    """A variable is missing or wrong. The text names it and tells what to put there."""


@dataclass(frozen=True, slots=True)
class Config:
    """The settings of one worker. The URL prints with its password blanked."""

    database_url: URL
    brokers: tuple[str, ...]
    topic: str
    dead_letter_topic: str
    host: str
    port: int
    time_zone: tzinfo
    log_level: str


def read_config(environ: Mapping[str, str]) -> Config:
    """Reads every variable of the worker. Raises WrongConfig."""
    return Config(
        database_url=read_database_url(environ),
        brokers=_brokers(environ.get("KAFKA_BOOTSTRAP_SERVERS", "")),
        topic=environ.get("KAFKA_TOPIC_PATIENT") or "patient",
        dead_letter_topic=environ.get("KAFKA_TOPIC_DEAD_LETTER") or "patient.dead-letter",
        host=environ.get("BIND_HOST") or "127.0.0.1",
        port=_port(environ.get("ANALYTICS_PORT") or "4002"),
        time_zone=_time_zone(environ.get("TIME_ZONE") or "UTC"),
        log_level=read_log_level(environ),
    )


def read_database_url(environ: Mapping[str, str]) -> URL:
    """Reads the only variable that `migrate` needs besides the log level. Raises WrongConfig."""
    text = environ.get("ANALYTICS_DATABASE_URL", "")
    if not text:
        raise WrongConfig(
            f"ANALYTICS_DATABASE_URL is missing. Set it to the address of this database: {EXAMPLE}"
        )
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise WrongConfig(
            f"ANALYTICS_DATABASE_URL is not a database address. It looks like {EXAMPLE}"
        ) from None
    if url.get_backend_name() not in ("postgresql", "postgres"):
        raise WrongConfig(f"ANALYTICS_DATABASE_URL must name a PostgreSQL database: {EXAMPLE}")
    return url.set(drivername="postgresql+psycopg2")


def read_log_level(environ: Mapping[str, str]) -> str:
    level = (environ.get("LOG_LEVEL") or "INFO").upper()
    if level not in LEVELS:
        raise WrongConfig(f"LOG_LEVEL must be one of {', '.join(LEVELS)}.")
    return level


def _brokers(text: str) -> tuple[str, ...]:
    brokers = tuple(part.strip() for part in text.split(",") if part.strip())
    if not brokers:
        raise WrongConfig(
            "KAFKA_BOOTSTRAP_SERVERS is missing. "
            "Set it to host:port, or several with commas between."
        )
    for broker in brokers:
        host, _, port = broker.rpartition(":")
        if not host or not _is_port(port):
            raise WrongConfig(
                "KAFKA_BOOTSTRAP_SERVERS must be host:port, or several with commas between."
            )
    return brokers


def _port(text: str) -> int:
    if not _is_port(text):
        raise WrongConfig("ANALYTICS_PORT must be a number from 0 to 65535; 0 takes any free port.")
    return int(text)


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and int(text) <= 65535


def _time_zone(text: str) -> tzinfo:
    try:
        # UTC is there on machines without time zone data too.
        return UTC if text == "UTC" else ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise WrongConfig(
            "TIME_ZONE must be a name such as Europe/London; it decides when a day begins."
        ) from None
