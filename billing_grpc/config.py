"""Reads the settings from the environment; a missing or wrong variable names itself."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

EXAMPLE = "postgresql://user:password@host:5432/billing"
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


class WrongConfig(Exception):
    """A variable is missing or wrong; the text names it and says what to put there."""


@dataclass(frozen=True, slots=True)
class Config:
    """The settings of one server. A URL prints with its password blanked."""

    database_url: URL
    host: str
    port: int
    log_level: str


def read_config(environ: Mapping[str, str]) -> Config:
    """Reads every variable of this server; raises WrongConfig."""
    return Config(
        database_url=_database_url(environ.get("BILLING_DATABASE_URL", "")),
        host=environ.get("BIND_HOST") or "127.0.0.1",
        port=_port(environ.get("BILLING_PORT") or "9001"),
        log_level=_level(environ.get("LOG_LEVEL") or "INFO"),
    )


def _database_url(text: str) -> URL:
    if not text:
        raise WrongConfig(
            "BILLING_DATABASE_URL is missing."
            f" Set it to the address of billing's database: {EXAMPLE}"
        )
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise WrongConfig(
            f"BILLING_DATABASE_URL is not a database address. It looks like {EXAMPLE}"
        ) from None
    if url.get_backend_name() not in ("postgresql", "postgres"):
        raise WrongConfig(f"BILLING_DATABASE_URL must name a PostgreSQL database: {EXAMPLE}")
    return url.set(drivername="postgresql+psycopg2")


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise WrongConfig("BILLING_PORT must be a number from 0 to 65535; 0 takes any free port.")
    return int(text)


def _level(text: str) -> str:
    if text.upper() not in LEVELS:
        raise WrongConfig(f"LOG_LEVEL must be one of {', '.join(LEVELS)}.")
    return text.upper()
