"""A connection to the database that the web server's loop serves, so that it keeps no thread.

psycopg sends a message and says when the answer is there; meanwhile the loop does other work.
"""

import select
import time
from collections.abc import Callable, Sequence
from typing import Any

import psycopg2
from django.db import connection
from psycopg2.extensions import POLL_OK, POLL_READ, POLL_WRITE

from portal.prepared import Call, Row, execution_of

CONNECT_SECONDS = 5.0


class LoopConnection:
    """Runs one message at a time. Its other methods are what the server's loop calls.

    A message is one statement or several, and one transaction.
    """

    accepting = False  # Which the loop asks of what it serves.
    has_rolled_back = False  # True if it is certain that nothing of the last message was done.

    def __init__(self, raw: Any, loop_map: dict[int, Any]) -> None:
        self._raw, self._cursor, self._map = raw, raw.cursor(), loop_map
        self._prepared: set[str] = set()
        self._done: Callable[[list[Row] | None], None] | None = None
        self._began_at = 0.0
        self._wants_write = False
        self._descriptor = raw.fileno()
        loop_map[self._descriptor] = self

    @property
    def is_busy(self) -> bool:
        """Returns whether a message runs."""
        return self._done is not None

    @property
    def is_closed(self) -> bool:
        """Returns whether the connection is good for nothing more."""
        return bool(self._raw.closed)

    def busy_seconds(self) -> float:
        """Returns for how long the message has been running; 0 if there is none."""
        return time.monotonic() - self._began_at if self._done else 0.0

    def execute(
        self, calls: Callable[[], Sequence[Call]], done: Callable[[list[Row] | None], None]
    ) -> None:
        """Begins a message; `done` gets the rows of its last statement, or None when it has failed.

        A connection on which a message failed is closed. `calls` gives the statements.
        """
        self._done, self._began_at, self.has_rolled_back = done, time.monotonic(), True
        message = b"; ".join(map(self._text_of, calls()))
        if self._has_news():
            self.close()
            return
        self.has_rolled_back = False
        try:
            self._cursor.execute(message)
        except psycopg2.Error as error:
            self._fail(error)
        else:
            self._poll()

    def _text_of(self, call: Call) -> bytes:
        name, statement, values = call
        execution: bytes = self._cursor.mogrify(execution_of(name, values), values)
        if name in self._prepared:
            return execution
        self._prepared.add(name)
        return f"PREPARE {name} {statement()};".encode() + execution

    def _has_news(self) -> bool:
        poll = select.poll()
        poll.register(self._descriptor, select.POLLIN)
        return bool(poll.poll(0))

    def _fail(self, error: psycopg2.Error) -> None:
        # After a fatal error, or none that PostgreSQL sent, nobody knows what was committed.
        self.has_rolled_back = error.diag.severity_nonlocalized == "ERROR"
        self.close()

    def close(self) -> None:
        """Ends the connection, and the message that runs."""
        self._map.pop(self._descriptor, None)
        self._raw.close()
        self._end(None)

    def _poll(self) -> None:
        try:
            state = self._raw.poll()
            self._wants_write = state == POLL_WRITE
            if state != POLL_OK or self._done is None:
                return
            rows = self._cursor.fetchall()
        except psycopg2.Error as error:
            self._fail(error)
            return
        self._end(rows)

    def _end(self, rows: list[Row] | None) -> None:
        done, self._done = self._done, None
        if done:
            done(rows)

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return self._wants_write

    def handle_read_event(self) -> None:
        if self.is_busy:
            self._poll()
        else:  # PostgreSQL says that it ends the connection, and little else to who waits.
            self.close()

    def handle_write_event(self) -> None:
        self._poll()

    def handle_expt_event(self) -> None:
        """There is no urgent data."""

    def handle_close(self) -> None:
        self.close()

    def handle_error(self) -> None:
        self.close()


def connect_for_loop(settings: str = "") -> Any:
    """Returns psycopg's connection to the portal's database; it waits until it is there.

    It runs the statements of `settings` first. Raises psycopg's errors.
    """
    parameters = connection.get_connection_params()
    parameters.pop("cursor_factory", None)
    raw = psycopg2.connect(**parameters, async_=True)
    _wait(raw)
    with raw.cursor() as cursor:
        # The shape of these statements stands, whatever their values are.
        cursor.execute(
            f"{settings} SET plan_cache_mode = force_generic_plan; SET TIME ZONE %s",
            [connection.timezone_name],
        )
        _wait(raw)
    return raw


def _wait(raw: Any) -> None:
    deadline = time.monotonic() + CONNECT_SECONDS
    while (state := raw.poll()) != POLL_OK:
        poll = select.poll()
        poll.register(raw.fileno(), select.POLLIN if state == POLL_READ else select.POLLOUT)
        if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
            raw.close()
            raise psycopg2.OperationalError("The database does not answer.")
