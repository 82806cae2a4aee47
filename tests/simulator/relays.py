"""A relay process: its lease, and a thread for each of its loops, turned as `portal.events.relay` turns them."""

from collections.abc import Callable
from typing import Any

from django.db import DatabaseError, connection
from kafka.errors import KafkaError

from portal.events import leases
from portal.loops import LeaseLost, Loop
from tests.simulator.processes import Interrupt, News, Process

FORESEEN = (DatabaseError, KafkaError)  # Whatever else a round raises is a fault that nobody planned.


class Turn:
    """A loop in its thread."""

    def __init__(self, name: str, make: Callable[[], Loop]) -> None:
        self._make, self.process = make, Process(name)
        self.loop, self.fence = make(), 0

    def restart(self) -> None:
        self.process.kill()
        self.loop = self._make()

    def take(self, lease: leases.Lease | None, interrupt: Interrupt | None) -> News | None:
        """A round, or the rest of one that was stopped. None where it may not begin."""
        if self.process.is_stopped:
            return self.process.go_on(interrupt)
        if lease is None or not lease.is_good:
            return None
        self.fence = lease.fence
        return self.process.begin(lambda: self._round(lease.fence), interrupt)

    def _round(self, fence: int) -> Any:
        try:
            return self.loop.step(fence)
        except FORESEEN:
            connection.close()
            raise


class Relay:
    """One process. A killed one is started again at once: it has a new name then, and no lease."""

    def __init__(self, name: str, loops: dict[str, Callable[[], Loop]]) -> None:
        self._name, self._starts = name, 0
        self.turns = {loop: Turn(f"{name} {loop}", make) for loop, make in loops.items()}
        self.lease: leases.Lease | None = None

    @property
    def holder(self) -> str:
        return f"{self._name}:{self._starts}"

    @property
    def leads(self) -> bool:
        return self.lease is not None and self.lease.is_good

    def stand(self) -> bool:
        """For election, or to stay elected."""
        self.lease = leases.take_or_renew(self.holder)
        return self.lease is not None

    def turn(self, loop: str, interrupt: Interrupt | None = None) -> News | None:
        news = self.turns[loop].take(self.lease, interrupt)
        if news and news.state == "died":
            self.restart()
        if news and news.state == "failed":
            if isinstance(news.value, LeaseLost):
                self.lease = None
            elif not isinstance(news.value, FORESEEN):
                raise news.value
        return news

    def restart(self) -> None:
        self._starts += 1
        self.lease = None
        for turn in self.turns.values():
            turn.restart()

    def end(self) -> None:
        for turn in self.turns.values():
            turn.process.end()
