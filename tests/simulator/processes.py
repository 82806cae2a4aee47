"""Threads that run one at a time, on order, and stop or die at given points.

Each thread belongs to a simulated process and has a database session of its own. It passes a
`point` wherever it could be stopped or killed: before each statement, and on both sides of each
call to the outside.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any

from django.db import connection

STUCK_SECONDS = 60.0  # A job that runs longer is a fault of the simulator.
_here = threading.local()


class Killed(BaseException):
    """Stands for kill -9: nothing happens after it, not even a `finally`."""


@dataclass(frozen=True)
class Interrupt:
    """A stop or death at the `nth` point whose name begins with `at`.

    A thread is never stopped inside of a transaction.
    """

    dies: bool
    at: str = ""
    nth: int = 1


@dataclass(frozen=True)
class Outcome:
    """The outcome of a job.

    `state` is done, failed, stopped or died; `where` is the point, `value` the answer or error.
    """

    state: str
    where: str = ""
    value: Any = None


def point(name: str, *, in_transaction: bool = False) -> None:
    """Marks a place where the running thread may be stopped or killed."""
    if process := getattr(_here, "process", None):
        process.reach(name, in_transaction=in_transaction)


class Process:
    """Does jobs one after the other. Use `begin`, then `resume` while the outcome is stopped."""

    def __init__(self, name: str) -> None:
        self.name, self.stopped_at = name, ""
        self._interrupt: Interrupt | None = None
        self._passed, self._is_dead = 0, False
        self._orders: SimpleQueue[Callable[[], Any] | Interrupt | None] = SimpleQueue()
        self._outcomes: SimpleQueue[Outcome] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    @property
    def is_stopped(self) -> bool:
        return bool(self.stopped_at)

    def begin(self, job: Callable[[], Any], interrupt: Interrupt | None = None) -> Outcome:
        assert not self.is_stopped, f"{self.name} is stopped at {self.stopped_at}"
        self._is_dead = False
        return self._order(job, interrupt)

    def resume(self, interrupt: Interrupt | None = None) -> Outcome:
        """Goes on where the job was stopped."""
        assert self.is_stopped
        return self._order(None, interrupt)

    def kill(self) -> None:
        """Ends the session of a stopped job, and with it the open transaction."""
        if self.is_stopped:
            self._order(Interrupt(dies=True), None)

    def end(self) -> None:
        """Ends the thread for good."""
        self.kill()
        self.begin(connection.close)
        self._orders.put(None)
        self._thread.join(STUCK_SECONDS)

    def reach(self, name: str, *, in_transaction: bool) -> None:
        """Stops or dies if the order says so. Runs in the thread."""
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

    def _order(
        self, order: Callable[[], Any] | Interrupt | None, interrupt: Interrupt | None
    ) -> Outcome:
        self._interrupt, self._passed = interrupt, 0
        self._orders.put(order)
        outcome = self._outcomes.get(timeout=STUCK_SECONDS)
        self.stopped_at = outcome.where if outcome.state == "stopped" else ""
        return outcome

    def _stop(self, name: str) -> None:
        self._interrupt = None
        self._outcomes.put(Outcome("stopped", name))
        if self._orders.get() is not None:
            self._die()

    def _die(self) -> None:
        self._is_dead = True
        raise Killed

    def _run(self) -> None:
        _here.process = self
        connection.execute_wrappers.append(_before_statement)
        while callable(job := self._orders.get()):
            self._outcomes.put(self._do(job))

    def _do(self, job: Callable[[], Any]) -> Outcome:
        try:
            return Outcome("done", value=job())
        except Killed:
            connection.close()
            return Outcome("died")
        except Exception as error:
            return Outcome("failed", value=error)


def _before_statement(
    execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]
) -> Any:
    point("statement", in_transaction=context["connection"].in_atomic_block)
    return execute(sql, params, many, context)
