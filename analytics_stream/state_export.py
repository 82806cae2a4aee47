"""Exports the state of every patient, for comparison with the portal's own log."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import psycopg2
from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from analytics_stream.database import StoreAway

CHUNK_BYTES = 65_536  # An export is sent in chunks of at least this size.
EXPORT_TIMEOUT = "10min"  # PostgreSQL ends an export that takes longer.
GAP_SECONDS = (
    2  # Events on their way leave gaps that close by themselves; younger ones are left out.
)

SELECT_STATES = """
    COPY (
        SELECT patient_id, version, event_id, status, counted
        FROM patient_state {} ORDER BY patient_id
    ) TO STDOUT (FORMAT csv, HEADER)
"""
SELECT_GAPS = text("""
    SELECT patient_id::text, version, counted, gap_since, count(*) OVER ()
    FROM patient_state WHERE gap_since <= now() - CAST(:age AS interval)
    ORDER BY gap_since, patient_id LIMIT :limit
""")
COUNT_GAPS = text(
    "SELECT count(*) FROM patient_state WHERE gap_since <= now() - CAST(:age AS interval)"
)


@dataclass(frozen=True, slots=True)
class Gap:
    """A patient with an earlier event that was never counted, and since when that is known."""

    patient_id: str
    version: int
    counted: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Gaps:
    """The oldest gaps, and how many there are in all."""

    total: int
    oldest: list[Gap]


class StateExport:
    """Reads states and gaps. Calls block and may be made from several threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def write_states(
        self, write: Callable[[bytes], object], patients: Sequence[str] | None = None
    ) -> None:
        """Hands every patient's state, or those of `patients`, to `write` as CSV in chunks.

        The lines are ordered by patient, with a header line first and `end,<rows>` last. One chunk
        of some 64 KB is in memory at a time. Raises StoreAway, or what `write` raises.
        """
        chunks = ChunkWriter(write)
        try:
            with self._engine.begin() as connection:
                connection.exec_driver_sql(f"SET LOCAL statement_timeout = '{EXPORT_TIMEOUT}'")
                cursor = connection.connection.cursor()
                condition = "" if patients is None else "WHERE patient_id = ANY(%s::uuid[])"
                statement = cursor.mogrify(
                    SELECT_STATES.format(condition), None if patients is None else (list(patients),)
                )
                try:
                    cursor.copy_expert(statement, chunks)
                except BaseException:
                    connection.invalidate()  # The connection is in the middle of a COPY.
                    raise
                chunks.write(b"end,%d\n" % cursor.rowcount)
        except (SQLAlchemyError, psycopg2.Error) as error:
            raise StoreAway(type(error).__name__) from error
        chunks.flush()

    def read_gaps(self, limit: int) -> Gaps:
        """Returns the oldest gaps. Raises StoreAway."""
        try:
            with self._engine.connect() as connection:
                rows = connection.execute(
                    SELECT_GAPS, {"limit": limit, "age": shortest_gap_age()}
                ).all()
        except SQLAlchemyError as error:
            raise StoreAway(type(error).__name__) from error
        return Gaps(rows[0][-1] if rows else 0, [Gap(*row[:-1]) for row in rows])


def shortest_gap_age() -> timedelta:
    """Returns the age from which a gap is reported."""
    return timedelta(seconds=GAP_SECONDS)


class ChunkWriter:
    """The file that COPY writes to, line by line; it passes the lines on in chunks."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write, self._buffer = write, bytearray()

    def write(self, line: bytes) -> None:
        self._buffer += line
        if len(self._buffer) >= CHUNK_BYTES:
            self.flush()

    def flush(self) -> None:
        chunk, self._buffer = bytes(self._buffer), bytearray()
        self._write(chunk)
