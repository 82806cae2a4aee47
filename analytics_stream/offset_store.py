"""Asks the database how far the topic was read, without holding up anybody when it does not answer."""

import asyncio
from collections.abc import Mapping
from concurrent.futures import Executor

from analytics_stream.database import StoreAway
from analytics_stream.offsets import Bookmarks, Kept, P, Partition, start_of
from analytics_stream.store import Store

LONGEST_READING = 10.0  # seconds


class Keeper:
    """`reader` runs the blocking reads."""

    def __init__(self, store: Store, reader: Executor) -> None:
        self._store, self._reader = store, reader
        self.bookmarks = Bookmarks()

    async def starts(
        self,
        committed: Mapping[P, int | None],
        ends: Mapping[P, int],
        openings: Mapping[P, bytes | None] | None,
    ) -> dict[P, int | None]:
        """Where to read on in these partitions, by what the group has committed of each; None is the beginning.

        Neither a database nor a broker that does not answer is waited for: that the one was emptied, or the other has
        another topic, shows when they do.
        """
        kept = await self._kept()
        if kept is None:
            return {place: offset or None for place, offset in committed.items()}
        return {
            place: start_of(offset, known.next_offset, ends[place])
            if (known := kept.get(place))
            and (openings is None or known.opening == openings.get(place))
            else None
            for place, offset in committed.items()
        }

    async def has_lost_offsets(self) -> bool:
        """Whether the database answers and was emptied, or replaced by an older one."""
        known = self.bookmarks.known()
        kept = await self._kept()
        return kept is not None and self.bookmarks.lost(known, kept)

    async def has_another_topic(self, openings: Mapping[P, bytes | None] | None) -> bool:
        """Whether both answer, and what is counted is of another topic than the one whose partitions begin so."""
        kept = await self._kept()
        return kept is not None and openings is not None and self.bookmarks.astray(kept, openings)

    async def _kept(self) -> dict[Partition, Kept] | None:
        reading = asyncio.get_running_loop().run_in_executor(self._reader, self._store.kept)
        try:
            return await asyncio.wait_for(reading, LONGEST_READING)
        except (StoreAway, TimeoutError):
            return None
