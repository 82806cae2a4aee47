"""Waits for a condition with a deadline, and never for a fixed time."""

import time
from collections.abc import Callable
from typing import TypeVar

Answer = TypeVar("Answer")


def wait_for(
    condition: Callable[[], Answer], *, seconds: float = 60, pause: float = 0.02
) -> Answer:
    """Returns the first answer that is true; AssertionError with the last one when time is up."""
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"still {answer!r} after {seconds} s"
        time.sleep(pause)
    return answer


def has_ended(pid: int) -> bool:
    """Tells whether the process has ended. A zombie has ended too."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True
