"""A relay process: the product's own election, and a thread for each loop, whose rounds begin when we say so."""

from collections.abc import Callable
from typing import Any

from django.db import DatabaseError, connection
from kafka.errors import KafkaError

from portal.events.relay import Relay
from portal.relay_loops import LeaseLost, Loop
from tests.simulator.clock import Clock
from tests.simulator.processes import Interrupt, News, Process

FORESEEN = (
    DatabaseError,
    KafkaError,
)  # Whatever else a round raises is a fault that nobody planned.


class Turn:
    """A loop in its thread."""

    def __init__(self, name: str, make: Callable[[], Loop]) -> None:
        self._make, self.process = make, Process(name)
        self.loop = make()

    def restart(self) -> None:
        self.process.kill()
        self.loop = self._make()

    def take(self, relay: Relay, interrupt: Interrupt | None) -> News | None:
        """A round, or the rest of one that was stopped. None where it may not begin."""
        if self.process.is_stopped:
            return self.process.go_on(interrupt)
        lease = relay._lease
        if lease is None or not lease.is_good:
            return None
        return self.process.begin(lambda: self._round(relay, lease.fence), interrupt)

    def _round(self, relay: Relay, fence: int) -> Any:
        """As `Relay._turn` has it."""
        try:
            with connection.execute_wrapper(relay._only_while_leading):
                return self.loop.step(fence)
        except FORESEEN:
            connection.close()
            raise


class RelayProcess:
    """Killed, it is started again at once: it has a new name then, and no lease."""

    def __init__(self, name: str, loops: dict[str, Callable[[], Loop]], clock: Clock) -> None:
        self.turns = {loop: Turn(f"{name} {loop}", make) for loop, make in loops.items()}
        self._relay, self._clock = Relay({}), clock
        self.seconds_behind = 0.0

    @property
    def holder(self) -> str:
        return self._relay.holder

    @property
    def leads(self) -> bool:
        lease = self._relay._lease
        with self._clock.behind(self.seconds_behind):
            return lease is not None and lease.is_good

    def stand(self) -> None:
        """For election, or to stay elected."""
        with self._clock.behind(self.seconds_behind):
            self._relay._stand_for_election()

    def turn(self, loop: str, interrupt: Interrupt | None = None) -> News | None:
        with self._clock.behind(self.seconds_behind):
            news = self.turns[loop].take(self._relay, interrupt)
        if news and news.state == "died":
            self.restart()
        if news and news.state == "failed":
            if isinstance(news.value, LeaseLost):
                self._relay._lease = None
            elif not isinstance(news.value, FORESEEN):
                raise news.value
        return news

    def restart(self) -> None:
        self._relay, self.seconds_behind = Relay({}), 0.0
        for turn in self.turns.values():
            turn.restart()

    def end(self) -> None:
        for turn in self.turns.values():
            turn.process.end()
