"""The loops of the relay process: each area registers its own, so that no area knows another."""

from collections.abc import Callable
from enum import Enum
from typing import Protocol


class Round(Enum):
    """How a round of a loop ended; the relay chooses the pause before the next round by it."""

    MORE = "more is waiting"
    DONE = "something was done"
    IDLE = "nothing to do"
    AWAY = "the other side does not answer"


class LeaseLost(Exception):
    """Another process leads now; what this process was about to write was refused."""


class Loop(Protocol):
    """Work that the leading process does in rounds, each loop in a thread of its own.

    A loop tries its other side even when nothing waits, so that an idle system shows what is away:
    events and billing every two seconds, gaps every three.
    """

    def step(self, fence: int) -> Round:
        """Runs a round. `fence` grows with each leader; a write under an old number is refused."""

    def close(self) -> None:
        """Closes connections; the relay calls it in the loop's thread after the last round."""


_factories: dict[str, Callable[[], Loop]] = {}


def register_loop(name: str, make: Callable[[], Loop]) -> None:
    """Makes `manage.py relay` run this loop; AppConfig.ready calls it."""
    _factories[name] = make


def registered_loops() -> dict[str, Callable[[], Loop]]:
    """Returns the factory of each loop by its name."""
    return dict(_factories)
