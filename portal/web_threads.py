"""The threads of the web server: few have work at quiet times, and idle ones hold no connection."""

import threading
from collections.abc import Callable

import structlog
from waitress.task import ThreadedTaskDispatcher

log = structlog.get_logger("portal.web")

IDLE_SECONDS = 60.0  # Without a request, after which a thread closes its connection.


class ThreadPool(ThreadedTaskDispatcher):
    """Gives a request to the thread that ended one last.

    waitress gives them to all threads in turn, so that each keeps a connection to the database,
    with 7 MB of plans and tables' descriptions in PostgreSQL, where one or two would do.
    """

    def __init__(self, *, idle_seconds: float = IDLE_SECONDS) -> None:
        super().__init__()
        self.queue_cv = IdleThreads(self.lock, seconds=idle_seconds, on_idle=close_connections)


class IdleThreads:
    """What waitress uses of a condition; `on_idle` runs in a thread that waited for `seconds`."""

    def __init__(
        self, lock: threading.Lock, *, seconds: float, on_idle: Callable[[], None]
    ) -> None:
        self._lock, self._seconds, self._on_idle = lock, seconds, on_idle
        self._waiting: list[threading.Lock] = []  # The one that waits for the shortest time last.

    def wait(self) -> None:
        """Waits for work. The caller holds the lock, and holds it again afterwards."""
        turn = threading.Lock()
        turn.acquire()
        self._waiting.append(turn)
        self._lock.release()
        try:
            if not turn.acquire(timeout=self._seconds):
                self._on_idle()
                turn.acquire()
        finally:
            self._lock.acquire()

    def notify(self) -> None:
        """Wakes the thread that waits for the shortest time. The caller holds the lock."""
        if self._waiting:
            self._waiting.pop().release()

    def notify_all(self) -> None:
        while self._waiting:
            self.notify()


def close_connections() -> None:
    """Closes this thread's connections to the database. The next request opens one."""
    from django.db import connections  # Django is not there when the server starts.

    try:
        connections.close_all()
    except Exception as error:  # Its thread is still needed.
        log.warning("connection_not_closed", error=type(error).__name__)
