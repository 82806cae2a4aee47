"""How far each partition was read, as the database keeps it, and from where to read on."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple, Protocol, TypeVar

Partition = tuple[str, int]
"""Topic and number of a partition."""
P = TypeVar("P", bound=Partition)


class Read(Protocol):
    """What we need of a message that was read."""

    topic: str
    partition: int
    offset: int


class Bookmark(NamedTuple):
    """That a partition is counted up to `next_offset`, once a batch is; and what the database must have kept before.

    `kept` is None when the partition is read from its beginning: then nothing need be kept yet.
    """

    topic: str
    partition: int
    kept: int | None
    next_offset: int


class Bookmarks:
    """What this process knows to be kept in the database of each partition that is ours."""

    def __init__(self) -> None:
        self._kept: dict[Partition, int | None] = {}

    def begin(self, starts: Mapping[P, int | None]) -> None:
        """These partitions are ours now, and read from here on; None is the beginning."""
        self._kept = {}
        self._kept.update(starts.items())

    def after(self, messages: Iterable[Read]) -> list[Bookmark]:
        """The bookmarks that these messages move, in the order in which every worker locks them."""
        reach: dict[Partition, tuple[int, int]] = {}
        for message in messages:
            first, last = reach.get((message.topic, message.partition), (message.offset, message.offset))
            reach[message.topic, message.partition] = min(first, message.offset), max(last, message.offset)
        # Of a partition that was taken from us meanwhile we know that we have read up to here.
        return [
            Bookmark(*place, self._kept.get(place, first), last + 1) for place, (first, last) in sorted(reach.items())
        ]

    def keep(self, bookmarks: Iterable[Bookmark]) -> None:
        """The database has these now."""
        for topic, partition, kept, next_offset in bookmarks:
            if (topic, partition) in self._kept:
                self._kept[topic, partition] = max(kept or 0, next_offset)

    def known(self) -> dict[Partition, int]:
        """What the database must have, now and later."""
        return {place: offset for place, offset in self._kept.items() if offset is not None}

    def lost(self, known: Mapping[Partition, int], kept: Mapping[Partition, int]) -> bool:
        """Whether the database keeps less than we knew before we asked it, and than we know now."""
        now = self.known()
        return any(kept.get(place, 0) < min(offset, now.get(place, 0)) for place, offset in known.items())


def start_of(committed: int | None, kept: int | None, end: int) -> int | None:
    """Where to read on: the smaller offset, so that neither the group nor the database misses a message.

    None is the beginning, where one of the two knows nothing, and where the topic is shorter than it was.
    """
    if not committed or not kept:
        return None
    return min(committed, kept) if max(committed, kept) <= end else None
