"""Faust's own Kafka consumer with three changes, each for something that was seen or read in its source."""

from collections.abc import Mapping
from typing import Any, Protocol, cast

from aiokafka import AIOKafkaConsumer, TopicPartition
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Consumer, Transport
from faust.types import TP

from analytics_stream.config import Config
from analytics_stream.offset_store import Keeper
from analytics_stream.progress import Partition
from analytics_stream.topic_fingerprint import Openings, openings

# Faust has 1.5 s and no setting for it. A broker may answer at the end of that time only: the one inside
# confluent-kafka does, and a registration then takes that long to show.
FETCH_WAIT_MS = 100


class KeepsOffsets(Protocol):
    """What we need of the app."""

    config: Config
    keeper: Keeper


class QuickThread(AIOKafkaConsumerThread):
    def _create_worker_consumer(self, transport: Any) -> AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = FETCH_WAIT_MS
        return consumer


class CarefulConsumer(Consumer):
    @property
    def _keeper(self) -> Keeper:
        return cast(KeepsOffsets, self.app).keeper

    async def openings(self) -> Openings | None:
        """What each of our partitions begins with now; None when the broker does not say."""
        return await openings(cast(KeepsOffsets, self.app).config.brokers, self.assignment())

    def _new_consumer_thread(self) -> QuickThread:
        return QuickThread(self, loop=self.loop, beacon=self.beacon)

    async def perform_seek(self) -> None:
        """Go back to what group and database both know to be counted, and where one knows nothing, to the beginning.

        Faust throws away what arrives while partitions change hands and relies on this call to read it again. Its own
        leaves out partitions without a committed offset, so that in a new group those messages were never read; and it
        asks the group alone, so that a database that was emptied stayed empty.
        """
        await super().perform_seek()
        ours = self.assignment()
        committed = {tp: self._committed_offset.get(tp) for tp in ours}
        starts = await self._keeper.starts(
            committed, await self.highwaters(*ours), await self.openings()
        )
        if self.assignment() != ours:
            return  # They changed hands meanwhile, and this is called again for those that are ours now.
        self._keeper.bookmarks.begin(starts)
        # What Faust believes to be committed decides which acknowledgements it takes note of.
        self._committed_offset.update(starts)
        self._read_offset.update(starts)
        await self._go_to(starts)

    async def _go_to(self, starts: Mapping[TP, int | None]) -> None:
        for tp, start in starts.items():
            if start is not None:
                await self._seek(TopicPartition(*tp), start)
        beginnings = [TopicPartition(*tp) for tp, start in starts.items() if start is None]
        if beginnings:
            await self._thread.seek_to_beginning(*beginnings)

    def standing_of(self, tp: TP) -> Partition:
        """Where a partition stands; `next_offset` None when it is read from its beginning and nothing is counted."""
        consumer, ours = self._thread._ensure_consumer(), TopicPartition(*tp)
        try:
            highwater, heard_ms = consumer.highwater(ours), consumer.last_poll_timestamp(ours)
        except (
            AssertionError,
            AttributeError,
            KeyError,
        ):  # The consumer's thread gave it away meanwhile.
            return Partition(None, None, None)
        next_offset = self._keeper.bookmarks.known().get(tp)
        return Partition(next_offset, highwater, heard_ms / 1000 if heard_ms else None)


class QuickTransport(Transport):
    Consumer = CarefulConsumer
