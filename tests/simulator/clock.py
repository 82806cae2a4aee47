"""Time that passes when we say so, for Python and for PostgreSQL alike."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

START = datetime(
    2040, 1, 2, 3, 4, tzinfo=UTC
)  # Ahead of the machine's clock: defaults of columns still take that one.

# The path names this schema before PostgreSQL's own, so that the product's SQL finds these functions first. As there,
# now() stays what it was when the transaction began.
SCHEMA = """
    CREATE SCHEMA simulated;
    CREATE TABLE simulated.moment (
        seen_at timestamptz PRIMARY KEY DEFAULT pg_catalog.clock_timestamp(), says timestamptz NOT NULL);
    CREATE FUNCTION simulated.clock_timestamp() RETURNS timestamptz LANGUAGE sql STABLE AS
        'SELECT says FROM simulated.moment ORDER BY seen_at DESC LIMIT 1';
    CREATE FUNCTION simulated.statement_timestamp() RETURNS timestamptz LANGUAGE sql STABLE AS
        'SELECT says FROM simulated.moment ORDER BY seen_at DESC LIMIT 1';
    CREATE FUNCTION simulated.now() RETURNS timestamptz LANGUAGE sql STABLE AS
        'SELECT says FROM simulated.moment WHERE seen_at <= pg_catalog.now() ORDER BY seen_at DESC LIMIT 1';
"""
PATH = "simulated, pg_catalog, public"


class Clock:
    """Stands in for the `time` module where the product reads a clock; `tell` runs a statement in the database."""

    def __init__(self, tell: Callable[[str, list[datetime]], object]) -> None:
        self._tell, self.now = tell, START
        self._behind = 0.0

    def monotonic(self) -> float:
        return (self.now - START).total_seconds() - self._behind

    @contextmanager
    def behind(self, seconds: float) -> Iterator[None]:
        """For a process whose clock stood still, as that of a suspended machine may; one process runs at a time."""
        self._behind = seconds
        try:
            yield
        finally:
            self._behind = 0.0

    def pass_by(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self._tell("INSERT INTO simulated.moment (says) VALUES (%s)", [self.now])

    def set_back(self) -> None:
        """To the first moment, for the next run. Nobody has a transaction open."""
        self.now = START
        self._tell("TRUNCATE simulated.moment", [])
        self._tell("INSERT INTO simulated.moment VALUES ('-infinity', %s)", [self.now])
