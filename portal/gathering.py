"""Gathers requests that wait for the database at the same time, in the web server's loop.

They share one message to the database and one commit; while it runs, the next ones gather. Who the
message does not answer goes to Django.
"""

import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from queue import SimpleQueue
from threading import Thread
from typing import Any

import psycopg2
import structlog
from django.db import Error as DatabaseError
from django.db import close_old_connections

from portal.accounts.known_users import FRESH_SECONDS, KnownUser, read_user
from portal.loop_connection import LoopConnection, connect_for_loop
from portal.plain_answers import note_answered
from portal.prepared import Row
from portal.read_batches import Batch

log = structlog.get_logger("portal.web")

MESSAGE_SECONDS = 10.0  # Until a message is given up.
AGAIN_SECONDS = 2.0  # Between two tries to connect.
EARLY_SECONDS = FRESH_SECONDS / 2  # Age at which a user is read again, before it is needed.

Waiting = tuple[Any, Any]  # A channel of the web server, and the plain request that it sent.


class Gatherer(ABC):
    """The requests of one kind at one port: those that wait, and the connection that answers them.

    A connection of a client waits for one request at most, so that there are no more than clients.
    All but the helper's work is done by the thread of the loop.
    """

    settings = ""  # Statements that a new connection begins with.

    def __init__(self, loop_map: dict[int, Any], helper: "Helper") -> None:
        self._map, self._helper = loop_map, helper
        self._waiting: deque[Waiting] = deque()
        self._connection: LoopConnection | None = None
        self._new: deque[Any] = deque()  # psycopg's connections.

    @abstractmethod
    def take(self, channel: Any, data: bytes) -> bool:
        """Takes what a client has sent, if it is a request that can be answered here."""

    def turn(self) -> None:
        """Does what can be done now; the loop calls it when it has read all that came."""
        try:
            self._turn()
        except Exception:
            log.exception("message_not_sent")
            if self._connection:
                self._connection.close()

    def _turn(self) -> None:
        if self._connection is None or self._connection.is_closed:
            self._change_connection()
        elif self._connection.busy_seconds() > MESSAGE_SECONDS:
            self._connection.close()
        elif self._waiting and not self._connection.is_busy:
            self._send(self._connection)

    @abstractmethod
    def _send(self, connection: LoopConnection) -> None:
        """Sends a message for some of those who wait."""

    def _execute(self, connection: LoopConnection, asked: Sequence[Waiting], batch: Batch) -> None:
        connection.execute(batch.calls, partial(self._finish, connection, asked, batch))

    def _finish(
        self,
        connection: LoopConnection,
        asked: Sequence[Waiting],
        batch: Batch,
        rows: Sequence[Row] | None,
    ) -> None:
        answers = None
        if rows is not None:
            try:
                answers = batch.answers(rows)
            except Exception:
                log.exception("requests_not_answered")
        if answers is None:
            answers = [self._after_failure(connection, request) for _, request in asked]
        self._answer(asked, answers)

    def _after_failure(self, _connection: LoopConnection, _request: Any) -> bytes | None:
        """Returns the answer to a request whose message failed; None for what Django is to do."""
        return None

    def _answer(self, asked: Sequence[Waiting], answers: Sequence[bytes | None]) -> None:
        answered = []
        for (channel, request), answer in zip(asked, answers, strict=True):
            if answer is None:
                channel.ask_django(request.data)
            else:
                channel.answer_at_once(answer)
                answered.append((request, answer))
        note_answered(answered)

    def connect(self) -> None:
        """Begins to connect, if it has not begun."""
        self._helper.do(self, self._connect)

    def _connect(self) -> None:
        self._new.append(connect_for_loop(self.settings))

    def _change_connection(self) -> None:
        """Takes a new connection, if there is one; meanwhile Django answers."""
        self._connection = None
        if self._new:
            self._connection = LoopConnection(self._new.popleft(), self._map)
        else:
            waiting, self._waiting = self._waiting, deque()
            self._answer(waiting, [None] * len(waiting))


class Helper:
    """A thread for work that waits for the database: connections, and users who change."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._jobs: SimpleQueue[tuple[object, Callable[[], object]]] = SimpleQueue()
        self._under_way: set[object] = set()
        Thread(target=self._work, name="loop-helper", daemon=True).start()

    def do(self, key: object, job: Callable[[], object]) -> None:
        """Does the job, unless that of this key is under way; then it wakes the loop."""
        if key not in self._under_way:
            self._under_way.add(key)
            self._jobs.put((key, job))

    def read_early(self, known: KnownUser) -> None:
        """Reads a user again who will be out of date soon, so that no request waits for that."""
        if time.monotonic() - known.read_at > EARLY_SECONDS:
            self.do(known.user.pk, partial(read_user, known.user.pk))

    def _work(self) -> None:
        while True:
            key, job = self._jobs.get()
            close_old_connections()
            try:
                job()
            except (DatabaseError, psycopg2.Error):
                time.sleep(AGAIN_SECONDS)  # Django's answers say that the database is away.
            finally:
                self._under_way.discard(key)
            self._wake()
            close_old_connections()
