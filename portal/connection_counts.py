"""How many connections each web process has, for all to see: new ones go to the one with fewest.

All processes listen on one socket. Clients that keep their connection open would else stay with the
process that happened to be awake when they came, and a second process would have nothing to do.
"""

import mmap
import struct
from typing import Final

MOST_PROCESSES = 64  # More would take part without being counted.
_FREE = -1
_INTEGER: Final = "i"


class ConnectionShare:
    """The count of one process, and a look at those of the others."""

    def __init__(self, counts: "memoryview[int]", place: int) -> None:
        self._counts, self._place = counts, place
        self.note(0)

    def note(self, connections: int) -> None:
        """Shows the others how many connections this process has."""
        self._counts[self._place] = connections

    def has_more_than_another(self) -> bool:
        """Returns whether some process has fewer connections."""
        own = self._counts[self._place]
        return any(_FREE < count < own for count in self._counts)

    def release(self) -> None:
        """Gives the place to another process; this one has ended."""
        self._counts[self._place] = _FREE


class ConnectionCounts:
    """The counts of all processes, in memory that they share when they are forked after this."""

    def __init__(self) -> None:
        memory = mmap.mmap(-1, MOST_PROCESSES * struct.calcsize(_INTEGER))
        self._counts = memoryview(memory).cast(_INTEGER)
        for place in range(MOST_PROCESSES):
            self._counts[place] = _FREE

    def share(self) -> ConnectionShare | None:
        """Returns the share of a new process; None if there are too many."""
        free = [place for place, count in enumerate(self._counts) if count == _FREE]
        return ConnectionShare(self._counts, free[0]) if free else None
