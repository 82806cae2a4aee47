"""What the relay process runs: each area hands in its loop here, so that no area needs to know another."""

from collections.abc import Callable
from enum import Enum
from typing import Protocol


class Round(Enum):
    """How one round of a loop went, and so how soon the next one follows."""

    MORE = "more is waiting"
    DONE = "something was done"
    IDLE = "nothing to do"
    AWAY = "the other side does not answer"


class LeaseLost(Exception):
    """Another process leads now; what this one was about to write was refused."""


class Loop(Protocol):
    """Work that one elected process does in rounds, each loop in a thread of its own.

    It tries its other side every three seconds also when nothing waits, so that an idle system shows what is away.
    """

    def step(self, fence: int) -> Round:
        """One round. `fence` grows with each new leader: a write under an old number must be refused."""

    def close(self) -> None:
        """Let go of connections; called in the loop's thread after its last round."""


_makers: dict[str, Callable[[], Loop]] = {}


def register_loop(name: str, make: Callable[[], Loop]) -> None:
    """Have `manage.py relay` run this loop; called in AppConfig.ready."""
    _makers[name] = make


def registered_loops() -> dict[str, Callable[[], Loop]]:
    """The makers of all loops by name."""
    return dict(_makers)
