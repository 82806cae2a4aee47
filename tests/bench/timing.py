"""Times a step and prints it."""

import time
from collections.abc import Callable
from typing import TypeVar

Answer = TypeVar("Answer")


def timed(what: str, work: Callable[[], Answer]) -> Answer:
    """Returns what `work` returns, and prints how long it took."""
    began = time.monotonic()
    answer = work()
    print(f"{what}: {time.monotonic() - began:.1f} s", flush=True)
    return answer
