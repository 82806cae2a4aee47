"""The offset up to which each partition is counted, and the offset from which to read on."""

from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import NamedTuple, Protocol, TypeVar

Partition = tuple[str, int]
"""Topic and number of a partition."""
PartitionT = TypeVar("PartitionT", bound=Partition)


class ReadMessage(Protocol):
    """The fields that this module needs of a message."""

    topic: str
    partition: int
    offset: int
    timestamp: int  # milliseconds
    key: bytes | None
    value: bytes | None


MessageT = TypeVar("MessageT", bound=ReadMessage)


class OffsetUpdate(NamedTuple):
    """Moves the stored offset of a partition to `next_offset`, together with a counted batch.

    `stored` is the offset that the database must have had before. It is None when the partition is
    read from its beginning: then the database need not have any, and `fingerprint` is that of the
    partition's first message.
    """

    topic: str
    partition: int
    stored: int | None
    next_offset: int
    fingerprint: bytes | None = None


class StoredOffset(NamedTuple):
    """The offset of a partition in the database, with the fingerprint of its first message."""

    next_offset: int
    fingerprint: bytes | None


def fingerprint(message: ReadMessage) -> bytes:
    """Returns sixteen bytes that identify a partition by its first message.

    They include offset and time, so the same event sent again later has another fingerprint.
    """
    digest = blake2b(digest_size=16)
    place_and_time = b"%d %d" % (message.offset, message.timestamp)
    for part in (place_and_time, message.key or b"", message.value or b""):
        digest.update(b"%d " % len(part) + part)
    return digest.digest()


class OffsetTracker:
    """Tracks which offset the database must have for each partition assigned to this process."""

    def __init__(self) -> None:
        self._offsets: dict[Partition, int | None] = {}

    def assign(self, starts: Mapping[PartitionT, int | None]) -> None:
        """Replaces the assignment. Each partition is read from its start; None is the beginning."""
        self._offsets = {}
        self._offsets.update(starts.items())

    def updates_for(self, messages: Iterable[MessageT]) -> list[OffsetUpdate]:
        """Returns the updates that counting these messages makes, in the order in which every
        worker locks the rows."""
        spans: dict[Partition, tuple[MessageT, MessageT]] = {}
        for message in messages:
            place = (message.topic, message.partition)
            first, last = spans.get(place, (message, message))
            if message.offset > last.offset:
                spans[place] = (first, message)
            elif message.offset < first.offset:
                spans[place] = (message, last)
            elif first is message:
                spans[place] = (message, message)
        return [self._update(place, first, last) for place, (first, last) in sorted(spans.items())]

    def _update(self, place: Partition, first: ReadMessage, last: ReadMessage) -> OffsetUpdate:
        # A partition that was revoked meanwhile is known to be counted up to its first message.
        stored = self._offsets.get(place, first.offset)
        first_seen = fingerprint(first) if stored is None else None
        return OffsetUpdate(*place, stored, last.offset + 1, first_seen)

    def confirm(self, updates: Iterable[OffsetUpdate]) -> None:
        """Takes note that the database has these updates now."""
        for update in updates:
            place = (update.topic, update.partition)
            if place in self._offsets:
                self._offsets[place] = max(update.stored or 0, update.next_offset)

    def expected(self) -> dict[Partition, int]:
        """Returns the offsets that the database must have, now and later."""
        return {place: offset for place, offset in self._offsets.items() if offset is not None}

    def has_lost(
        self, expected: Mapping[Partition, int], stored: Mapping[Partition, StoredOffset]
    ) -> bool:
        """Tells whether the database has less than was `expected` before it was asked, and than is
        expected now."""
        now = self.expected()
        nothing = StoredOffset(0, None)
        return any(
            stored.get(place, nothing).next_offset < min(offset, now.get(place, 0))
            for place, offset in expected.items()
        )

    def is_replaced(
        self,
        stored: Mapping[Partition, StoredOffset],
        fingerprints: Mapping[PartitionT, bytes | None],
    ) -> bool:
        """Tells whether an assigned partition begins with another message than the counted."""
        expected = self.expected()
        return any(
            place in expected and place in stored and stored[place].fingerprint != current
            for place, current in fingerprints.items()
        )


def start_offset(committed: int | None, stored: int | None, end: int) -> int | None:
    """Returns the smaller offset, so that neither the group nor the database misses a message.

    Returns None, the beginning, when the group or the database has no offset, and when the topic
    is shorter than it was.
    """
    if not committed or not stored:
        return None
    return min(committed, stored) if max(committed, stored) <= end else None
