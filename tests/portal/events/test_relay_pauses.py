"""How long the relay waits between two rounds of a loop."""

import threading
import time

import pytest

from portal.events import relay as relay_module
from portal.events.relay import GATHER_SECONDS, QUIET_SECONDS, Relay, next_pause
from portal.relay_loops import Round

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_full_queue_is_worked_off_without_a_pause():
    """Red when the relay gathers between two batches of a long queue."""
    assert next_pause(Round.MORE, QUIET_SECONDS) == 0


def test_a_round_that_emptied_its_queue_lets_the_next_one_gather():
    """Red when the next round follows at once, and costs as much for one event as for a hundred."""
    for before in (0.0, 0.02, QUIET_SECONDS):
        assert next_pause(Round.DONE, before) == GATHER_SECONDS
    assert GATHER_SECONDS == 0.2


def test_pauses_grow_while_nothing_comes():
    """Red when an idle relay asks without end, or waits longer than an event may wait."""
    pauses = [0.0]
    while pauses[-1] < QUIET_SECONDS:
        pauses.append(next_pause(Round.IDLE, pauses[-1]))
        assert pauses[-1] > pauses[-2]
    assert next_pause(Round.IDLE, QUIET_SECONDS) == QUIET_SECONDS


class TimedLoop:
    """Ends its rounds as it is told, and notes when each began."""

    def __init__(self, outcomes: list[Round]) -> None:
        self.outcomes, self.began, self.is_done = outcomes, [], threading.Event()

    def step(self, fence: int) -> Round:
        self.began.append(time.monotonic())
        if len(self.began) == len(self.outcomes):
            self.is_done.set()
        return self.outcomes[min(len(self.began), len(self.outcomes)) - 1]

    def close(self) -> None:
        pass


def test_the_relay_waits_as_long_as_it_is_told(monkeypatch):
    """Red when a round follows before the pause of the round before is over."""
    monkeypatch.setattr(relay_module, "next_pause", lambda outcome, pause: PAUSES[outcome])
    loop = TimedLoop([Round.MORE, Round.DONE, Round.DONE])
    relay = Relay({"timed": lambda: loop})
    running = threading.Thread(target=relay.run)
    running.start()
    try:
        assert loop.is_done.wait(60)
    finally:
        relay.stopping.set()
        running.join(60)
    assert loop.began[2] - loop.began[1] >= PAUSES[Round.DONE]


PAUSES = {Round.MORE: 0.0, Round.DONE: 0.3}
