"""Connects to PostgreSQL, and separates errors that pass from errors that stay."""

from sqlalchemy import URL, Engine, create_engine
from sqlalchemy.exc import DBAPIError

# Classes of SQLSTATE that trying again does not mend: wrong data, broken constraint, too large.
REFUSALS = ("22", "23", "54")

# Settings of each session. PostgreSQL ends what takes longer.
LIMITS = {
    "statement_timeout": "20s",
    "lock_timeout": "10s",
    # A worker that is stopped within a transaction holds rows that all others need.
    "idle_in_transaction_session_timeout": "5s",
    "timezone": "UTC",
}


class StoreAway(Exception):
    """The database cannot be used now, and the same call may be tried again.

    The text is the kind of error.
    """


class Refused(Exception):
    """The database will never take these events as they are; nothing was counted."""


class OffsetsLost(Exception):
    """The database counted less of the topic than before: it was emptied, or is an older one."""

    def __init__(self) -> None:
        super().__init__("The database lost what was counted before. It is counted again.")


def open_engine(url: URL) -> Engine:
    """Returns an engine that notices within seconds that its server is gone.

    Its errors do not repeat values.
    """
    limits = " ".join(f"-c {name}={value}" for name, value in LIMITS.items())
    network = {
        "connect_timeout": 5,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
    }
    arguments = {
        "options": limits,
        "application_name": "analytics",
        "tcp_user_timeout": 20_000,
        **network,
    }
    pool = {"pool_size": 4, "max_overflow": 1, "pool_timeout": 10, "pool_pre_ping": True}
    return create_engine(url, connect_args=arguments, hide_parameters=True, **pool)


def translate_error(error: Exception) -> Exception:
    """Returns the StoreAway or Refused that an error of SQLAlchemy means."""
    if isinstance(error, ValueError):
        return Refused()
    if not isinstance(error, DBAPIError):
        return StoreAway(type(error).__name__)
    code = getattr(error.orig, "pgcode", None) or ""
    if code.startswith(REFUSALS):
        return Refused()
    return StoreAway(f"{type(error).__name__} {code}".strip())
