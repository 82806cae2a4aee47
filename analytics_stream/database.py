"""The connection to PostgreSQL, and which of its errors are ours to wait for."""

from sqlalchemy import URL, Engine, create_engine
from sqlalchemy.exc import DBAPIError

REFUSALS = (
    "22",
    "23",
    "54",
)  # Classes of SQLSTATE: wrong data, broken constraint, too large. They stay so.

LIMITS = {
    "statement_timeout": "20s",
    "lock_timeout": "10s",
    # A worker that is stopped within a transaction holds rows that all others need.
    "idle_in_transaction_session_timeout": "5s",
    "timezone": "UTC",
}


class StoreAway(Exception):
    """The database cannot be used now; the same call may be made again. The text is the kind of error."""


class Refused(Exception):
    """The database will never take these events as they are; nothing was counted."""


class OffsetsLost(Exception):
    """The database has counted less of the topic than we know it had: it was emptied, or is an older one."""

    def __init__(self) -> None:
        super().__init__("The database lost what was counted before. It is counted anew.")


def open_engine(url: URL) -> Engine:
    """An engine that notices within seconds that its server is gone, and whose errors do not repeat values."""
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


def told(error: Exception) -> Exception:
    """What an error of SQLAlchemy means to us: StoreAway or Refused."""
    if isinstance(error, DBAPIError):
        code = getattr(error.orig, "pgcode", None) or ""
        return (
            Refused()
            if code.startswith(REFUSALS)
            else StoreAway(f"{type(error).__name__} {code}".strip())
        )
    return Refused() if isinstance(error, ValueError) else StoreAway(type(error).__name__)
