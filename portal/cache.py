"""Figures over large tables: counted anew each time while that is cheap, and kept for some seconds where it is not."""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

SECONDS = 5.0
LARGE = 50_000  # PostgreSQL counts so many rows in a few milliseconds.

Figure = TypeVar("Figure")


class Kept(Generic[Figure]):
    """Calling it gives what `count` gives; a figure whose `size` is LARGE or more may be SECONDS old.

    One thread counts; the others meanwhile get the figure of before.
    """

    def __init__(
        self,
        count: Callable[[], Figure],
        *,
        size: Callable[[Figure], int],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._count, self._size, self._clock = count, size, clock
        self._lock = threading.Lock()
        self._kept: tuple[float, Figure] | None = None

    def __call__(self) -> Figure:
        kept = self._kept
        if kept and self._clock() < kept[0] + SECONDS:
            return kept[1]
        if not self._lock.acquire(blocking=kept is None) and kept:
            return kept[1]
        try:
            figure = self._count()
            self._kept = (self._clock(), figure) if self._size(figure) >= LARGE else None
            return figure
        finally:
            self._lock.release()
