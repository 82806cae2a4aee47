"""What the counts are made of, patient by patient: for whoever compares it with the portal's own log."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import psycopg2
from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from analytics_stream.database import StoreAway

PIECE_BYTES = 65_536
LONGEST_EXPORT = "10min"
GAP_SECONDS = (
    2  # Events on their way leave gaps that close by themselves; younger ones are not told.
)

STATES = """
    COPY (SELECT patient_id, version, event_id, status, counted FROM patient_state {} ORDER BY patient_id)
    TO STDOUT (FORMAT csv, HEADER)
"""
GAPS = text("""
    SELECT patient_id::text, version, counted, gap_since, count(*) OVER ()
    FROM patient_state WHERE gap_since <= now() - CAST(:age AS interval) ORDER BY gap_since, patient_id LIMIT :limit
""")
COUNT_GAPS = text(
    "SELECT count(*) FROM patient_state WHERE gap_since <= now() - CAST(:age AS interval)"
)


@dataclass(frozen=True, slots=True)
class Gap:
    """A patient of whom an earlier event was never counted, and since when that is known."""

    patient_id: str
    version: int
    counted: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Gaps:
    """The oldest gaps, and how many there are in all."""

    total: int
    oldest: list[Gap]


class Ledger:
    """Reads states and gaps. Calls block and may be made from several threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def write_states(
        self, write: Callable[[bytes], object], patients: Sequence[str] | None = None
    ) -> None:
        """Hand every patient's state to `write`, or those of `patients` alone, as CSV in pieces of some 64 KB.

        Ordered by patient, with a header line first and `end,<rows>` last. Memory holds one piece. Raises StoreAway, or
        what `write` raises.
        """
        pieces = Pieces(write)
        try:
            with self._engine.begin() as connection:
                connection.exec_driver_sql(f"SET LOCAL statement_timeout = '{LONGEST_EXPORT}'")
                cursor = connection.connection.cursor()
                chosen = "" if patients is None else "WHERE patient_id = ANY(%s::uuid[])"
                statement = cursor.mogrify(
                    STATES.format(chosen), None if patients is None else (list(patients),)
                )
                try:
                    cursor.copy_expert(statement, pieces)
                except BaseException:
                    connection.invalidate()  # It stands in the middle of a COPY.
                    raise
                pieces.write(b"end,%d\n" % cursor.rowcount)
        except (SQLAlchemyError, psycopg2.Error) as error:
            raise StoreAway(type(error).__name__) from error
        pieces.flush()

    def gaps(self, limit: int) -> Gaps:
        """The oldest gaps. Raises StoreAway."""
        try:
            with self._engine.connect() as connection:
                rows = connection.execute(GAPS, {"limit": limit, "age": gap_age()}).all()
        except SQLAlchemyError as error:
            raise StoreAway(type(error).__name__) from error
        return Gaps(rows[0][-1] if rows else 0, [Gap(*row[:-1]) for row in rows])


def gap_age() -> timedelta:
    """How old a gap must be to be told."""
    return timedelta(seconds=GAP_SECONDS)


class Pieces:
    """The file that COPY writes to, line by line: passes them on in larger pieces."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write, self._waiting = write, bytearray()

    def write(self, line: bytes) -> None:
        self._waiting += line
        if len(self._waiting) >= PIECE_BYTES:
            self.flush()

    def flush(self) -> None:
        piece, self._waiting = bytes(self._waiting), bytearray()
        self._write(piece)
