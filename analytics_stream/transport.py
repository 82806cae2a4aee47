"""Faust's own Kafka consumer with two changes, each for something that was seen or read in its source."""

from collections.abc import Iterable
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Consumer, Transport
from faust.types import TP

from analytics_stream.progress import Partition

# Faust has 1.5 s and no setting for it. A broker may answer at the end of that time only: the one inside
# confluent-kafka does, and a registration then takes that long to show.
FETCH_WAIT_MS = 100


class QuickThread(AIOKafkaConsumerThread):
    def _create_worker_consumer(self, transport: Any) -> AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = FETCH_WAIT_MS
        return consumer


class CarefulConsumer(Consumer):
    def _new_consumer_thread(self) -> QuickThread:
        return QuickThread(self, loop=self.loop, beacon=self.beacon)

    async def perform_seek(self) -> None:
        """Go back to what is committed, and where nothing is, to the beginning.

        Faust throws away what arrives while partitions change hands and relies on this call to read it again. Its own
        leaves out partitions without a committed offset, so that in a new group those messages were never read.
        """
        await super().perform_seek()
        new = [TopicPartition(*tp) for tp in self.assignment() if self._committed_offset.get(tp) is None]
        if new:
            await self._thread.seek_to_beginning(*new)

    def standing_of(self, tp: TP) -> Partition:
        """Where a partition stands; `next_offset` None when nothing was committed or counted yet."""
        consumer, ours = self._thread._ensure_consumer(), TopicPartition(*tp)
        try:
            highwater, heard_ms = consumer.highwater(ours), consumer.last_poll_timestamp(ours)
        except (AssertionError, AttributeError, KeyError):  # The consumer's thread gave it away meanwhile.
            return Partition(None, None, None)
        next_offset = after_run(self._committed_offset.get(tp), self._acked.get(tp, ()))
        return Partition(next_offset, highwater, heard_ms / 1000 if heard_ms else None)


class QuickTransport(Transport):
    Consumer = CarefulConsumer


def after_run(committed: int | None, acked: Iterable[int]) -> int | None:
    """The offset after all that is acknowledged without a gap. Behind a gap, or a doubt of it, what is committed."""
    offsets = set(acked)
    if not offsets:
        return committed
    first, last = min(offsets), max(offsets)
    has_gap = last - first + 1 > len(offsets) or (committed is not None and first > committed)
    return committed if has_gap else last + 1
