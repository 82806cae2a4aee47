"""A database session for a check alone: its lock, and tables that vanish with it."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import IO, Any

from django.db import DEFAULT_DB_ALIAS, connections

from portal.jobs import advisory_lock

LOCK = 20_260_514  # Any number that nothing else uses for an advisory lock.

# The portal's snapshot, what the peers answered, what follows from both, and the differences.
_TABLES = {
    "snap_patient": "patient uuid, version bigint, status text",
    "snap_event": "event_id bigint, patient uuid, version bigint, status text, is_held boolean",
    "snap_waiting": "event_id bigint",
    "snap_quarantined": "event_id bigint, patient uuid, reason text",
    "snap_account": """patient uuid, status text, account_id text, wanted bigint,
        is_waiting boolean, error text""",
    "snap_need": "patient uuid",
    "read_message": "event_id bigint, patient uuid, version bigint, partition int, place bigint",
    "read_state": "patient uuid, version bigint, event_id bigint, status text, counted bigint",
    "read_account": "patient uuid, account_id text, version bigint, is_closed boolean",
    "all_message": "LIKE read_message",
    "all_state": "LIKE read_state",
    "all_account": "LIKE read_account",
    "expected": """patient uuid, events bigint, versions bigint, last bigint, is_deleted boolean,
        settled bigint, settled_version bigint""",
    "sent": """patient uuid, event_id bigint, version bigint, first_place bigint, last_place bigint,
        partition int, times bigint""",
    "candidate": "patient uuid",
    "difference": "kind text, patient uuid, event_id bigint, found text",
}
# Sorts and joins go to disk beyond this. The session of a dead client, and with it the lock, ends
# within half a minute.
_SETTINGS = """
    SET work_mem = '48MB'; SET temp_buffers = '32MB'; SET application_name = 'reconcile';
    SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3;
"""


class Workspace:
    """Runs statements in the session; for use in one thread."""

    def __init__(self) -> None:
        self._session: Any = connections.create_connection(DEFAULT_DB_ALIAS)

    def create_tables(self) -> None:
        """Creates every table anew, empty."""
        for name, columns in _TABLES.items():
            self.rows(f"DROP TABLE IF EXISTS pg_temp.{name}; CREATE TEMP TABLE {name} ({columns})")

    def rows(
        self, statement: str, values: Sequence[Any] | dict[str, Any] | None = None
    ) -> list[tuple[Any, ...]]:
        """Returns the rows of a statement, all in memory: for what is known to be few."""
        with self._session.cursor() as cursor:
            cursor.execute(statement, values)
            return cursor.fetchall() if cursor.description else []

    def value(self, statement: str, values: Sequence[Any] | dict[str, Any] | None = None) -> Any:
        [[value]] = self.rows(statement, values)
        return value

    def copy(self, table: str, lines: IO[bytes], *, form: str = "text") -> None:
        """Loads lines in PostgreSQL's own format `text` or `csv`.

        Raises DataError where they are not such lines.
        """
        lines.seek(0)
        with self._session.cursor() as cursor, self._session.wrap_database_errors:
            cursor.copy_expert(f"COPY {table} FROM STDIN (FORMAT {form})", lines, 1 << 16)

    def chunks(self, statement: str, values: Sequence[Any], *, size: int) -> Iterator[list[Any]]:
        """Yields the first column of a statement's rows in chunks, however many there are."""
        self.rows(f"DECLARE chunks NO SCROLL CURSOR WITH HOLD FOR {statement}", values)
        try:
            while found := self.rows(f"FETCH {size} FROM chunks"):
                yield [row[0] for row in found]
        finally:
            self.rows("CLOSE chunks")

    @contextmanager
    def repeatable_read(self) -> Iterator[None]:
        """Runs the block in a transaction that reads everything as it was at one moment."""
        self.rows("BEGIN ISOLATION LEVEL REPEATABLE READ")
        try:
            yield
        except BaseException:
            if self._session.connection and not self._session.connection.closed:
                self.rows("ROLLBACK")
            raise
        self.rows("COMMIT")

    def empty(self, *tables: str) -> None:
        self.rows(f"TRUNCATE {', '.join(tables)}")

    def lock(self) -> AbstractContextManager[None]:
        """Holds the lock of checks in the session; raises Busy while another process has it."""
        return advisory_lock(LOCK, session=self._session)

    def close(self) -> None:
        self._session.close()


@contextmanager
def workspace() -> Iterator[Workspace]:
    """Opens the only workspace of a database; a process that dies frees it.

    Raises Busy while another process has it.
    """
    space = Workspace()
    try:
        space.rows(_SETTINGS)
        with space.lock():
            yield space
    finally:
        space.close()
