"""A relay process: the product's own election, and a thread for each loop, which runs on order."""

from collections.abc import Callable
from typing import Any

from django.db import DatabaseError, connection
from kafka.errors import KafkaError

from portal.events.relay import Relay
from portal.relay_loops import LeaseLost, Loop
from tests.simulator.clock import Clock
from tests.simulator.processes import Interrupt, Outcome, Process

EXPECTED_ERRORS = (DatabaseError, KafkaError)  # Every other error of a round fails the run.


class LoopThread:
    """A loop of the relay in its thread."""

    def __init__(self, name: str, make: Callable[[], Loop]) -> None:
        self._make, self.process = make, Process(name)
        self.loop = make()

    def restart(self) -> None:
        self.process.kill()
        self.loop = self._make()

    def run_round(self, relay: Relay, interrupt: Interrupt | None) -> Outcome | None:
        """Runs a round, or the rest of a stopped one. Returns None without a lease."""
        if self.process.is_stopped:
            return self.process.resume(interrupt)
        lease = relay._lease
        if lease is None or not lease.is_good:
            return None
        return self.process.begin(lambda: self._round(relay, lease.fence), interrupt)

    def _round(self, relay: Relay, fence: int) -> Any:
        """Repeats what `Relay._turn` does."""
        try:
            with connection.execute_wrapper(relay._only_while_leading):
                return self.loop.step(fence)
        except EXPECTED_ERRORS:
            connection.close()
            raise


class RelayProcess:
    """A relay that is restarted at once when it is killed, with a new name and no lease."""

    def __init__(self, name: str, loops: dict[str, Callable[[], Loop]], clock: Clock) -> None:
        self.threads = {loop: LoopThread(f"{name} {loop}", make) for loop, make in loops.items()}
        self._relay, self._clock = Relay({}), clock
        self.seconds_behind = 0.0

    @property
    def holder(self) -> str:
        return self._relay.holder

    @property
    def leads(self) -> bool:
        lease = self._relay._lease
        with self._clock.lagging(self.seconds_behind):
            return lease is not None and lease.is_good

    def stand_for_election(self) -> None:
        """Takes or renews the lease."""
        with self._clock.lagging(self.seconds_behind):
            self._relay._stand_for_election()

    def run_round(self, loop: str, interrupt: Interrupt | None = None) -> Outcome | None:
        with self._clock.lagging(self.seconds_behind):
            outcome = self.threads[loop].run_round(self._relay, interrupt)
        if outcome and outcome.state == "died":
            self.restart()
        if outcome and outcome.state == "failed":
            if isinstance(outcome.value, LeaseLost):
                self._relay._lease = None
            elif not isinstance(outcome.value, EXPECTED_ERRORS):
                raise outcome.value
        return outcome

    def restart(self) -> None:
        self._relay, self.seconds_behind = Relay({}), 0.0
        for thread in self.threads.values():
            thread.restart()

    def end(self) -> None:
        for thread in self.threads.values():
            thread.process.end()
