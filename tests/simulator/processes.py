"""Threads of which one runs at a time, and only when told to: they stop or die where the world wants it.

A thread is one thread of a simulated process, with a database session of its own. Wherever it could be stopped or
killed it passes a `point`: before each statement, and on both sides of each call to the outside.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any

from django.db import connection

STUCK_SECONDS = 60.0  # A job that neither ends nor stops is a fault of the simulator.
_here = threading.local()


class Killed(BaseException):
    """kill -9: nothing after this happens, whatever stands in a `finally`."""


@dataclass(frozen=True)
class Interrupt:
    """What happens at the `nth` point whose name begins with `at`. Nobody is stopped inside of a transaction."""

    dies: bool
    at: str = ""
    nth: int = 1


@dataclass(frozen=True)
class News:
    """How a job went on: `state` is done, failed, stopped or died; `where` the point, `value` the answer or error."""

    state: str
    where: str = ""
    value: Any = None


def point(name: str, *, in_transaction: bool = False) -> None:
    """The thread that runs this may be stopped or killed here."""
    if process := getattr(_here, "process", None):
        process.pass_by(name, in_transaction=in_transaction)


class Process:
    """Does jobs one after the other. Use `begin`, then `go_on` while the news are that it stopped."""

    def __init__(self, name: str) -> None:
        self.name, self.stopped_at = name, ""
        self._interrupt: Interrupt | None = None
        self._passed, self._is_dead = 0, False
        self._orders: SimpleQueue[Callable[[], Any] | Interrupt | None] = SimpleQueue()
        self._news: SimpleQueue[News] = SimpleQueue()
        self._thread = threading.Thread(target=self._live, name=name, daemon=True)
        self._thread.start()

    @property
    def is_stopped(self) -> bool:
        return bool(self.stopped_at)

    def begin(self, job: Callable[[], Any], interrupt: Interrupt | None = None) -> News:
        assert not self.is_stopped, f"{self.name} is stopped at {self.stopped_at}"
        self._is_dead = False
        return self._let(job, interrupt)

    def go_on(self, interrupt: Interrupt | None = None) -> News:
        """From where it was stopped."""
        assert self.is_stopped
        return self._let(None, interrupt)

    def kill(self) -> None:
        """Its session ends, and so does its open transaction. One that has nothing under way leaves nothing open."""
        if self.is_stopped:
            self._let(Interrupt(dies=True), None)

    def end(self) -> None:
        """The thread ends for good."""
        self.kill()
        self.begin(connection.close)
        self._orders.put(None)
        self._thread.join(STUCK_SECONDS)

    def pass_by(self, name: str, *, in_transaction: bool) -> None:
        """Called in the thread."""
        if self._is_dead:
            raise Killed
        wish = self._interrupt
        if wish is None or not name.startswith(wish.at):
            return
        self._passed += 1
        if self._passed < wish.nth:
            return
        if wish.dies:
            self._die()
        if not in_transaction:
            self._stop(name)

    def _let(
        self, order: Callable[[], Any] | Interrupt | None, interrupt: Interrupt | None
    ) -> News:
        self._interrupt, self._passed = interrupt, 0
        self._orders.put(order)
        news = self._news.get(timeout=STUCK_SECONDS)
        self.stopped_at = news.where if news.state == "stopped" else ""
        return news

    def _stop(self, name: str) -> None:
        self._interrupt = None
        self._news.put(News("stopped", name))
        if self._orders.get() is not None:
            self._die()

    def _die(self) -> None:
        self._is_dead = True
        raise Killed

    def _live(self) -> None:
        _here.process = self
        connection.execute_wrappers.append(_before_statement)
        while callable(job := self._orders.get()):
            self._news.put(self._do(job))

    def _do(self, job: Callable[[], Any]) -> News:
        try:
            return News("done", value=job())
        except Killed:
            connection.close()
            return News("died")
        except Exception as error:
            return News("failed", value=error)


def _before_statement(
    execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]
) -> Any:
    point("statement", in_transaction=context["connection"].in_atomic_block)
    return execute(sql, params, many, context)
