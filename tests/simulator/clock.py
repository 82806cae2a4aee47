"""A clock that a run sets, for Python and for PostgreSQL alike."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

# Ahead of the machine's clock, which the defaults of columns still use.
START = datetime(2040, 1, 2, 3, 4, tzinfo=UTC)

# The search path names this schema before PostgreSQL's own, so that the product's SQL finds these
# functions first. As in PostgreSQL, now() keeps the time when the transaction began.
SCHEMA = """
    CREATE SCHEMA simulated;
    CREATE TABLE simulated.moment (
        seen_at timestamptz PRIMARY KEY DEFAULT pg_catalog.clock_timestamp(),
        says timestamptz NOT NULL);
    CREATE FUNCTION simulated.clock_timestamp() RETURNS timestamptz LANGUAGE sql STABLE AS
        'SELECT says FROM simulated.moment ORDER BY seen_at DESC LIMIT 1';
    CREATE FUNCTION simulated.statement_timestamp() RETURNS timestamptz LANGUAGE sql STABLE AS
        'SELECT says FROM simulated.moment ORDER BY seen_at DESC LIMIT 1';
    CREATE FUNCTION simulated.now() RETURNS timestamptz LANGUAGE sql STABLE AS
        'SELECT says FROM simulated.moment WHERE seen_at <= pg_catalog.now()
            ORDER BY seen_at DESC LIMIT 1';
"""
PATH = "simulated, pg_catalog, public"


class Clock:
    """Replaces the `time` module where the product reads a clock.

    `run_sql` runs a statement in the portal's database.
    """

    def __init__(self, run_sql: Callable[[str, list[datetime]], object]) -> None:
        self._run_sql, self.now = run_sql, START
        self._lag_seconds = 0.0

    def monotonic(self) -> float:
        return (self.now - START).total_seconds() - self._lag_seconds

    @contextmanager
    def lagging(self, seconds: float) -> Iterator[None]:
        """Lets the clock lag for the process that runs now, like that of a suspended machine."""
        self._lag_seconds = seconds
        try:
            yield
        finally:
            self._lag_seconds = 0.0

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self._run_sql("INSERT INTO simulated.moment (says) VALUES (%s)", [self.now])

    def reset(self) -> None:
        """Goes back to the start, for the next run. No transaction is open then."""
        self.now = START
        self._run_sql("TRUNCATE simulated.moment", [])
        self._run_sql("INSERT INTO simulated.moment VALUES ('-infinity', %s)", [self.now])
