"""Asks the database how far the topic was read, without holding up anybody when it does not answer."""

import asyncio
from collections.abc import Mapping
from concurrent.futures import Executor

from analytics_stream.database import StoreAway
from analytics_stream.offsets import Bookmarks, P, Partition, start_of
from analytics_stream.store import Store

LONGEST_READING = 10.0  # seconds


class Keeper:
    """`reader` runs the blocking reads."""

    def __init__(self, store: Store, reader: Executor) -> None:
        self._store, self._reader = store, reader
        self.bookmarks = Bookmarks()

    async def starts(self, committed: Mapping[P, int | None], ends: Mapping[P, int]) -> dict[P, int | None]:
        """Where to read on in these partitions, by what the group has committed of each; None is the beginning.

        A database that is away is not waited for: what it lost shows when it counts the first batch.
        """
        kept = await self._offsets()
        known = {place: offset if kept is None else kept.get(place) for place, offset in committed.items()}
        return {place: start_of(offset, known[place], ends[place]) for place, offset in committed.items()}

    async def has_lost_offsets(self) -> bool:
        """Whether the database answers and was emptied, or replaced by an older one."""
        known = self.bookmarks.known()
        kept = await self._offsets()
        return kept is not None and self.bookmarks.lost(known, kept)

    async def _offsets(self) -> dict[Partition, int] | None:
        reading = asyncio.get_running_loop().run_in_executor(self._reader, self._store.offsets)
        try:
            return await asyncio.wait_for(reading, LONGEST_READING)
        except (StoreAway, TimeoutError):
            return None
