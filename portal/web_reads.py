"""Answers the plain reads of programs in the web server's loop, without a thread for each.

Those that wait at the same time share one statement and one commit; while it runs, the next ones
gather. Everything else, above all every error, goes to Django: a request that is not plain, a
patient who is not there, a database that does not answer.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from queue import SimpleQueue
from typing import Any

import psycopg2
import structlog
from django.db import Error as DatabaseError
from django.db import close_old_connections

from portal.accounts.known_users import FRESH_SECONDS, KnownUser, read_user
from portal.loop_connection import LoopConnection, connect_for_loop
from portal.plain_answers import good_token_answer, note_answered
from portal.plain_requests import PlainRead, recognise
from portal.plain_searches import recognise_search
from portal.prepared import Row
from portal.read_batches import Batch, PageBatch, PageMoment, PatientsBatch

log = structlog.get_logger("portal.web")

MOST_AT_ONCE = 64  # Reads of one statement; the others wait for the next.
STATEMENT_SECONDS = 10.0  # Until a statement is given up, and its reads go to Django.
AGAIN_SECONDS = 2.0  # Between two tries to connect.
EARLY_SECONDS = FRESH_SECONDS / 2  # Age at which a user is read again, before it is needed.

Waiting = tuple[Any, PlainRead]  # A channel of the web server, and what it waits for.


class WebReads:
    """The reads of one port: those that wait, and the connection that answers them.

    A connection of a client waits for one read at most, so that there are no more than clients.
    All but the helper's work is done by the thread of the loop.
    """

    def __init__(self, loop_map: dict[int, Any], *, wake: Callable[[], None]) -> None:
        self._map, self._wake = loop_map, wake
        self._waiting: deque[Waiting] = deque()
        self._connection: LoopConnection | None = None
        self._moment = PageMoment()
        self._helper = Helper(wake)

    def take(self, channel: Any, data: bytes) -> bool:
        """Takes what a client has sent, if it is a plain read that can be answered here."""
        read = recognise(data, channel)
        if read is None:
            return self._take_search(channel, data)
        self._helper.read_early(read.known)
        if read.is_token_check:
            if channel.wait_for(read):
                self._answer([(channel, read)], [good_token_answer(read)])
                return True
        elif self._connection is None:
            self._helper.connect()
        elif channel.wait_for(read):
            self._waiting.append((channel, read))
            return True
        return False

    def _take_search(self, channel: Any, data: bytes) -> bool:
        """Gives a plain search to a thread: it asks the database several times."""
        search = recognise_search(data, channel)
        if search is None:
            return False
        self._helper.read_early(search.known)
        is_taken: bool = channel.wait_for(search)
        if is_taken:
            channel.ask_thread()
        return is_taken

    def turn(self) -> None:
        """Does what can be done now; the loop calls it when it has read all that came."""
        try:
            self._turn()
        except Exception:
            log.exception("reads_not_asked_for")
            if self._connection:
                self._connection.close()  # Who waits for it goes to Django.

    def _turn(self) -> None:
        if self._connection is None or self._connection.is_closed:
            self._change_connection()
        elif self._connection.busy_seconds() > STATEMENT_SECONDS:
            self._connection.close()
        elif self._waiting and not self._connection.is_busy:
            self._send(self._connection)

    def _send(self, connection: LoopConnection) -> None:
        limit = self._waiting[0][1].limit
        if limit and not self._moment.is_fresh():
            connection.execute(self._moment, partial(self._finish, [], self._moment))
            return
        same = [waiting for waiting in self._waiting if waiting[1].limit == limit][:MOST_AT_ONCE]
        for waiting in same:
            self._waiting.remove(waiting)
        reads = [read for _, read in same]
        batch = PageBatch(reads, self._moment) if limit else PatientsBatch(reads)
        connection.execute(batch, partial(self._finish, same, batch))

    def _finish(self, asked: Sequence[Waiting], batch: Batch, rows: Sequence[Row] | None) -> None:
        answers: list[bytes | None] = [None] * len(asked)
        if rows is not None:
            try:
                answers = batch.answers(rows)
            except Exception:
                log.exception("reads_not_answered")  # Django may know what is wrong.
        self._answer(asked, answers)

    def _answer(self, asked: Sequence[Waiting], answers: Sequence[bytes | None]) -> None:
        answered = []
        for (channel, read), answer in zip(asked, answers, strict=True):
            if answer is None:
                channel.ask_django(read.data)
            else:
                channel.answer_at_once(answer)
                answered.append(read)
        note_answered(answered)

    def _change_connection(self) -> None:
        """Takes a new connection, if there is one; meanwhile Django answers."""
        self._connection = None
        if raw := self._helper.new_connection():
            self._connection = LoopConnection(raw, self._map)
        else:
            waiting, self._waiting = self._waiting, deque()
            self._answer(waiting, [None] * len(waiting))


class Helper:
    """A thread for work that waits for the database: connections, and users who change."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._jobs: SimpleQueue[Callable[[], object]] = SimpleQueue()
        self._new: deque[Any] = deque()
        self._reading: set[int] = set()  # Users.
        self._is_connecting = False
        threading.Thread(target=self._work, name="reads-helper", daemon=True).start()

    def new_connection(self) -> Any | None:
        """Returns psycopg's connection, once, when `connect` has made it."""
        return self._new.popleft() if self._new else None

    def connect(self) -> None:
        """Begins to connect, if it has not begun."""
        if not self._is_connecting:
            self._is_connecting = True
            self._jobs.put(self._connect)

    def read_early(self, known: KnownUser) -> None:
        """Reads a user again who will be out of date soon, so that no request waits for that."""
        user_id = known.user.pk
        if time.monotonic() - known.read_at > EARLY_SECONDS and user_id not in self._reading:
            self._reading.add(user_id)
            self._jobs.put(partial(self._read_user, user_id))

    def _work(self) -> None:
        while True:
            job = self._jobs.get()
            close_old_connections()
            try:
                job()
            except (DatabaseError, psycopg2.Error):
                time.sleep(AGAIN_SECONDS)  # Django's answers say that the database is away.
            close_old_connections()

    def _connect(self) -> None:
        try:
            self._new.append(connect_for_loop())
            self._wake()
        finally:
            self._is_connecting = False

    def _read_user(self, user_id: int) -> None:
        try:
            read_user(user_id)
        finally:
            self._reading.discard(user_id)
