"""The relay process: it stands for election, and while it leads it runs each registered loop.

Each loop has a thread of its own.
"""

import os
import secrets
import socket
import threading
from collections.abc import Callable, Mapping
from typing import Any

import structlog
from django.db import Error as DatabaseError
from django.db import connection
from django.db.backends.signals import connection_created
from django.utils import timezone

from portal.events import leases
from portal.events.loop_health import AWAY, LoopHealth
from portal.relay_loops import LeaseLost, Loop, Round

log = structlog.get_logger("portal.relay")
POLL_SECONDS = 0.02  # Between two looks at the lease.
# Seconds between two rounds: after one that did something, so that the next one finds more to do,
# and at most while nothing comes. A round of one event costs as much as a round of a hundred.
GATHER_SECONDS, QUIET_SECONDS = 0.2, 0.25
# Seconds between two rounds that fail: at first, and at most.
FIRST_RETRY_SECONDS, LAST_RETRY_SECONDS = 0.25, 3.0
LAST_ROUND_SECONDS = 20  # That the relay waits for each thread when it ends.


class Relay:
    """Runs until `stopping` is set, whatever is away: a loop that fails waits and tries again."""

    def __init__(
        self,
        loops: Mapping[str, Callable[[], Loop]],
        *,
        lease_seconds: float = leases.LEASE_SECONDS,
    ) -> None:
        self.stopping = threading.Event()
        self.holder = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self._lease_seconds = lease_seconds
        self._lease: leases.Lease | None = None
        self._logged_fence: int | None = None  # The fence of the last "leading" in the log.
        self._threads = [
            threading.Thread(
                target=self._run_loop, args=(name, make), name=f"relay-{name}", daemon=True
            )
            for name, make in loops.items()
        ]

    def run(self) -> bool:
        """Blocks until the end; returns False when a loop's thread died.

        The supervisor must then start the process anew.
        """
        connection_created.connect(leases.end_idle_transactions)
        for thread in self._threads:
            thread.start()
        while not self.stopping.is_set() and self._all_alive():
            self._stand_for_election()
            self.stopping.wait(self._lease_seconds / (3 if self._lease else 6))
        is_whole = self._all_alive()
        self.stopping.set()
        self._end()
        connection_created.disconnect(leases.end_idle_transactions)
        return is_whole

    def _all_alive(self) -> bool:
        return all(thread.is_alive() for thread in self._threads)

    def _stand_for_election(self) -> None:
        try:
            self._lease = leases.acquire_lease(self.holder, seconds=self._lease_seconds)
        except DatabaseError as error:
            # The lease that we have runs out by itself, on our own clock.
            log.warning("election_failed", error=type(error).__name__)
            connection.close()
            return
        fence = self._lease.fence if self._lease else None
        if fence != self._logged_fence:
            self._logged_fence = fence
            log.info("leading" if fence else "standing_by", fence=fence)

    def _end(self) -> None:
        """Lets each loop end its round, then lets the next process lead at once."""
        for thread in self._threads:
            thread.join(timeout=LAST_ROUND_SECONDS)
        try:
            if not any(thread.is_alive() for thread in self._threads):
                leases.release_lease(self.holder)
        except DatabaseError:
            log.warning("lease_not_released")
        connection.close()

    def _run_loop(self, name: str, make: Callable[[], Loop]) -> None:
        with connection.execute_wrapper(self._only_while_leading):
            self._run_rounds(name, make())
        connection.close()

    def _only_while_leading(self, execute: Callable[..., Any], *statement: Any) -> Any:
        """Keeps every loop from the database once the lease is over."""
        lease = self._lease
        if lease is None or not lease.is_good:
            raise LeaseLost
        return execute(*statement)

    def _run_rounds(self, name: str, loop: Loop) -> None:
        health, pause, retry = LoopHealth(name), POLL_SECONDS, FIRST_RETRY_SECONDS
        while not self.stopping.is_set():
            lease = self._lease
            if lease is None or not lease.is_good:
                self.stopping.wait(POLL_SECONDS)
                continue
            began = timezone.now()
            try:
                outcome = loop.step(lease.fence)
                health.record(AWAY if outcome is Round.AWAY else "", began=began, fence=lease.fence)
                pause, retry = next_pause(outcome, pause), FIRST_RETRY_SECONDS
            except LeaseLost:
                self._lease = None
            except Exception as error:
                kind = type(error).__name__
                log.warning(
                    "round_failed", loop=name, error=kind, retry_seconds=retry, exc_info=True
                )
                connection.close()
                health.record(kind, began=began, fence=lease.fence)
                pause, retry = retry, min(retry * 2, LAST_RETRY_SECONDS)
            self.stopping.wait(pause)
        loop.close()


def next_pause(outcome: Round, pause: float) -> float:
    """Returns the seconds to the next round.

    There is no pause while a queue is full, and a longer one while nothing comes.
    """
    if outcome is Round.MORE:
        return 0.0
    if outcome is Round.DONE:
        return GATHER_SECONDS
    return min(max(pause, POLL_SECONDS) * 2, QUIET_SECONDS)
