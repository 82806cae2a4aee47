"""How far each partition was read, as the database keeps it, and from where to read on."""

from collections.abc import Iterable, Mapping
from hashlib import blake2b
from operator import attrgetter
from typing import NamedTuple, Protocol, TypeVar

Partition = tuple[str, int]
"""Topic and number of a partition."""
P = TypeVar("P", bound=Partition)


class Read(Protocol):
    """What we need of a message that was read."""

    topic: str
    partition: int
    offset: int
    timestamp: float
    key: bytes | None
    value: bytes | None


R = TypeVar("R", bound=Read)


class Bookmark(NamedTuple):
    """That a partition is counted up to `next_offset`, once a batch is; and what the database must have kept before.

    `kept` is None when the partition is read from its beginning: then nothing need be kept yet, and `opening` is the
    fingerprint of its first message.
    """

    topic: str
    partition: int
    kept: int | None
    next_offset: int
    opening: bytes | None = None


class Kept(NamedTuple):
    """What the database keeps of a partition: `opening` is the fingerprint of the message that it began with."""

    next_offset: int
    opening: bytes | None


def fingerprint(message: Read) -> bytes:
    """Sixteen bytes that tell a partition by its first message: the same event sent again later gives others."""
    digest = blake2b(digest_size=16)
    place_and_time = b"%d %d" % (message.offset, round(message.timestamp * 1000))
    for part in (place_and_time, message.key or b"", message.value or b""):
        digest.update(b"%d " % len(part) + part)
    return digest.digest()


class Bookmarks:
    """What this process knows to be kept in the database of each partition that is ours."""

    def __init__(self) -> None:
        self._kept: dict[Partition, int | None] = {}

    def begin(self, starts: Mapping[P, int | None]) -> None:
        """These partitions are ours now, and read from here on; None is the beginning."""
        self._kept = {}
        self._kept.update(starts.items())

    def after(self, messages: Iterable[R]) -> list[Bookmark]:
        """The bookmarks that these messages move, in the order in which every worker locks them."""
        reach: dict[Partition, tuple[R, R]] = {}
        for message in messages:
            first, last = reach.get((message.topic, message.partition), (message, message))
            reach[message.topic, message.partition] = (
                min(first, message, key=attrgetter("offset")),
                max(last, message, key=attrgetter("offset")),
            )
        return [self._after(place, first, last) for place, (first, last) in sorted(reach.items())]

    def _after(self, place: Partition, first: Read, last: Read) -> Bookmark:
        # Of a partition that was taken from us meanwhile we know that we have read up to here.
        kept = self._kept.get(place, first.offset)
        return Bookmark(*place, kept, last.offset + 1, fingerprint(first) if kept is None else None)

    def keep(self, bookmarks: Iterable[Bookmark]) -> None:
        """The database has these now."""
        for topic, partition, kept, next_offset, _ in bookmarks:
            if (topic, partition) in self._kept:
                self._kept[topic, partition] = max(kept or 0, next_offset)

    def known(self) -> dict[Partition, int]:
        """What the database must have, now and later."""
        return {place: offset for place, offset in self._kept.items() if offset is not None}

    def lost(self, known: Mapping[Partition, int], kept: Mapping[Partition, Kept]) -> bool:
        """Whether the database keeps less than we knew before we asked it, and than we know now."""
        now = self.known()
        nothing = Kept(0, None)
        return any(
            kept.get(place, nothing).next_offset < min(offset, now.get(place, 0))
            for place, offset in known.items()
        )

    def astray(self, kept: Mapping[Partition, Kept], openings: Mapping[P, bytes | None]) -> bool:
        """Whether one of our partitions begins with another message now than the one that was counted."""
        return any(
            place in self.known() and place in kept and kept[place].opening != opening
            for place, opening in openings.items()
        )


def start_of(committed: int | None, kept: int | None, end: int) -> int | None:
    """Where to read on: the smaller offset, so that neither the group nor the database misses a message.

    None is the beginning, where one of the two knows nothing, and where the topic is shorter than it was.
    """
    if not committed or not kept:
        return None
    return min(committed, kept) if max(committed, kept) <= end else None
