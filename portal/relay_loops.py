"""The loops of the relay process: each area registers its own, so that no area knows another."""

from collections.abc import Callable
from enum import Enum
from typing import Protocol

from django.utils.module_loading import import_string


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


_paths: dict[str, str] = {}


def register_loop(name: str, path: str) -> None:
    """Makes `manage.py relay` run the loop of this class; AppConfig.ready calls it.

    It is a path such as `portal.events.loop.EventsLoop`: only the relay imports it, with clients of
    Kafka and gRPC that take 20 MB in each process.
    """
    _paths[name] = path


def registered_loops() -> dict[str, Callable[[], Loop]]:
    """Returns the factory of each loop by its name."""
    return {name: import_string(path) for name, path in _paths.items()}
