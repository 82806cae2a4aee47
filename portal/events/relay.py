"""The relay process: it stands for election, and while it leads, each registered loop turns in a thread of its own."""

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
BUSY_SECONDS, QUIET_SECONDS = 0.02, 0.25
FIRST_RETRY_SECONDS, LAST_RETRY_SECONDS = 0.25, 3.0


class Relay:
    """Runs until `stopping` is set, whatever is away: a loop that fails backs off and tries again."""

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
        self._told: int | None = None  # The fence under which the log says that we lead.
        self._threads = [
            threading.Thread(
                target=self._turn, args=(name, make), name=f"relay-{name}", daemon=True
            )
            for name, make in loops.items()
        ]

    def run(self) -> bool:
        """Blocks; False when a loop's thread died, so that the supervisor must start us anew."""
        connection_created.connect(leases.end_idle_transactions)
        for thread in self._threads:
            thread.start()
        while not self.stopping.is_set() and all(thread.is_alive() for thread in self._threads):
            self._stand_for_election()
            self.stopping.wait(self._lease_seconds / (3 if self._lease else 6))
        is_whole = all(thread.is_alive() for thread in self._threads)
        self.stopping.set()
        self._wind_up()
        connection_created.disconnect(leases.end_idle_transactions)
        return is_whole

    def _stand_for_election(self) -> None:
        try:
            self._lease = leases.acquire_lease(self.holder, seconds=self._lease_seconds)
        except DatabaseError as error:
            # The lease we have runs out by itself, on our own clock.
            log.warning("election_failed", error=type(error).__name__)
            connection.close()
            return
        now = self._lease.fence if self._lease else None
        if now != self._told:
            self._told = now
            log.info("leading" if now else "standing_by", fence=now)

    def _wind_up(self) -> None:
        """Let each loop end its round, then let the next process lead at once."""
        for thread in self._threads:
            thread.join(timeout=20)
        try:
            if not any(thread.is_alive() for thread in self._threads):
                leases.release_lease(self.holder)
        except DatabaseError:
            log.warning("lease_not_released")
        connection.close()

    def _turn(self, name: str, make: Callable[[], Loop]) -> None:
        with connection.execute_wrapper(self._only_while_leading):
            self._take_rounds(name, make())
        connection.close()

    def _only_while_leading(self, execute: Callable[..., Any], *statement: Any) -> Any:
        """No loop, whichever area's it is, says a word to the database once our time is over."""
        lease = self._lease
        if lease is None or not lease.is_good:
            raise LeaseLost
        return execute(*statement)

    def _take_rounds(self, name: str, loop: Loop) -> None:
        loop_health, pause, retry = LoopHealth(name), BUSY_SECONDS, FIRST_RETRY_SECONDS
        while not self.stopping.is_set():
            lease = self._lease
            if lease is None or not lease.is_good:
                self.stopping.wait(BUSY_SECONDS)
                continue
            began = timezone.now()
            try:
                round_ = loop.step(lease.fence)
                loop_health.record(
                    AWAY if round_ is Round.AWAY else "", began=began, fence=lease.fence
                )
                pause, retry = next_pause(round_, pause), FIRST_RETRY_SECONDS
            except LeaseLost:
                self._lease = None
            except Exception as error:
                kind = type(error).__name__
                log.warning(
                    "round_failed", loop=name, error=kind, retry_seconds=retry, exc_info=True
                )
                connection.close()
                loop_health.record(kind, began=began, fence=lease.fence)
                pause, retry = retry, min(retry * 2, LAST_RETRY_SECONDS)
            self.stopping.wait(pause)
        loop.close()


def next_pause(round_: Round, pause: float) -> float:
    """Seconds to the next round: none while a queue is full, then 20 ms, doubling to 250 ms while nothing comes."""
    if round_ is Round.MORE:
        return 0.0
    if round_ is Round.DONE:
        return BUSY_SECONDS
    return min(max(pause, BUSY_SECONDS) * 2, QUIET_SECONDS)
