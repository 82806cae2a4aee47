"""Reads the stored offsets, without blocking the event loop when the database does not answer."""

import asyncio
from collections.abc import Mapping
from concurrent.futures import Executor

from analytics_stream.database import StoreAway
from analytics_stream.offsets import (
    OffsetTracker,
    Partition,
    PartitionT,
    StoredOffset,
    start_offset,
)
from analytics_stream.store import Store

READ_SECONDS = 10.0  # Longest wait for the database before its answer counts as missing.


class OffsetStore:
    """Compares the stored offsets with those of the group. `reader` runs the blocking reads."""

    def __init__(self, store: Store, reader: Executor) -> None:
        self._store, self._reader = store, reader
        self.tracker = OffsetTracker()

    async def starts(
        self,
        committed: Mapping[PartitionT, int | None],
        ends: Mapping[PartitionT, int],
        fingerprints: Mapping[PartitionT, bytes | None] | None,
    ) -> dict[PartitionT, int | None]:
        """Returns the offset from which to read each partition on; None is its beginning.

        `committed` are the group's offsets. When the database or the broker does not answer, the
        other's word counts for now. A database that was emptied, and a topic that was replaced,
        are found when they answer again.
        """
        stored = await self._read_offsets()
        if stored is None:
            return {place: offset or None for place, offset in committed.items()}
        starts: dict[PartitionT, int | None] = {}
        for place, offset in committed.items():
            known = stored.get(place)
            if known is None or (
                fingerprints is not None and known.fingerprint != fingerprints.get(place)
            ):
                starts[place] = None
            else:
                starts[place] = start_offset(offset, known.next_offset, ends[place])
        return starts

    async def has_lost_offsets(self) -> bool:
        """Tells whether the database answers and was emptied, or replaced by an older one."""
        expected = self.tracker.expected()
        stored = await self._read_offsets()
        return stored is not None and self.tracker.has_lost(expected, stored)

    async def has_another_topic(
        self, fingerprints: Mapping[PartitionT, bytes | None] | None
    ) -> bool:
        """Tells whether the counted topic is not the one that has these fingerprints now.

        False when the broker gave no fingerprints, and when the database does not answer.
        """
        stored = await self._read_offsets()
        if stored is None or fingerprints is None:
            return False
        return self.tracker.is_replaced(stored, fingerprints)

    async def _read_offsets(self) -> dict[Partition, StoredOffset] | None:
        loop = asyncio.get_running_loop()
        reading = loop.run_in_executor(self._reader, self._store.read_offsets)
        try:
            return await asyncio.wait_for(reading, READ_SECONDS)
        except (StoreAway, TimeoutError):
            return None
