"""Waiting for what must come true, never for a time."""

import time
from collections.abc import Callable


def wait_until(is_so: Callable[[], object], *, seconds: float = 40) -> None:
    """Fails when it does not come."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)
