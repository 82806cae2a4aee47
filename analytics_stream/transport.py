"""Faust's own Kafka consumer with five changes: four for faults that were seen in its source or
in a test, and one for speed: it hands over batches."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any, Protocol, cast

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import GroupIdNotFound, UnknownMemberIdError, kafka_errors
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Consumer, Transport
from faust.types import TP
from faust.types.transports import SchedulingStrategyT
from faust.types.tuples import ConsumerMessage

from analytics_stream.config import Config
from analytics_stream.offset_store import OffsetStore
from analytics_stream.progress import PartitionProgress
from analytics_stream.topic_fingerprint import Fingerprints, read_fingerprints

# Longest time that the broker waits for new messages before it answers. Faust has 1.5 s and no
# setting for it. The embedded broker answers at the end of that time only, and a registration
# would then take that long to show.
FETCH_WAIT_MS = 100

# A broker that came back empty says that it does not know the group, where others say that it does
# not know the member. aiokafka joins again after the second, and ends the consumer after the first.
kafka_errors[GroupIdNotFound.errno] = UnknownMemberIdError


class AppWithOffsets(Protocol):
    """The parts of the app that the consumer needs."""

    config: Config
    offset_store: OffsetStore


Fetched = Mapping[TP, list[Any]]
"""The messages of aiokafka that were fetched together, by partition."""


class BatchScheduling(SchedulingStrategyT):
    """Hands over all that was fetched together as one message, in the name of one partition."""

    def iterate(self, records: Fetched) -> Iterator[tuple[TP, Fetched]]:
        if records:
            yield next(iter(records)), records


class AnalyticsConsumerThread(AIOKafkaConsumerThread):
    def _create_worker_consumer(self, transport: Any) -> AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = FETCH_WAIT_MS
        return consumer


class AnalyticsConsumer(Consumer):
    """A consumer that reads on from where the group and the database both agree to be.

    What Faust takes for a message is a batch: its own path of a single message takes longer than to
    decode and count the event.
    """

    @property
    def _offset_store(self) -> OffsetStore:
        return cast(AppWithOffsets, self.app).offset_store

    async def read_fingerprints(self) -> Fingerprints | None:
        """Returns the fingerprints of our partitions; None when the broker does not answer."""
        brokers = cast(AppWithOffsets, self.app).config.brokers
        return await read_fingerprints(brokers, self.assignment())

    def _new_consumer_thread(self) -> AnalyticsConsumerThread:
        return AnalyticsConsumerThread(self, loop=self.loop, beacon=self.beacon)

    def _to_message(self, tp: TP, record: Any) -> ConsumerMessage:
        """Returns a message with all that was fetched as its value, at the last offset of `tp`."""
        fetched = cast(Fetched, record)
        message = super()._to_message(tp, fetched[tp][-1])
        message.key, message.headers = None, None
        batch = list(chain.from_iterable(fetched.values()))
        message.value = batch  # type: ignore[assignment]  # Faust knows single messages alone.
        return message

    def _filter_committable_offsets(self, _: Iterable[TP]) -> dict[TP, int]:
        """Gives the group the offsets that the database has, instead of acknowledged ones."""
        counted = self._offset_store.tracker.expected()
        offsets = {TP(*place): offset for place, offset in counted.items()}
        return {tp: offset for tp, offset in offsets.items() if self._should_commit(tp, offset)}

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Leaves out Faust's list of offsets without a message: batches look like it."""

    async def perform_seek(self) -> None:
        """Goes back to the offset that group and database both know to be counted, and to the
        beginning when one of them knows none.

        Faust throws away what arrives during a rebalance and relies on this call to read it again.
        Its own version leaves out partitions without a committed offset, so that a new group never
        read those messages. It also asks the group alone, so that an emptied database stayed empty.
        """
        await super().perform_seek()
        assigned = self.assignment()
        committed = {tp: self._committed_offset.get(tp) for tp in assigned}
        ends = await self.highwaters(*assigned)
        starts = await self._offset_store.starts(committed, ends, await self.read_fingerprints())
        if self.assignment() != assigned:
            return  # After another rebalance this is called again for the new assignment.
        self._offset_store.tracker.assign(starts)
        # Faust ignores acknowledgements below the offset that it believes to be committed.
        self._committed_offset.update(starts)
        self._read_offset.update(starts)
        await self._seek_all(starts)

    async def _seek_all(self, starts: Mapping[TP, int | None]) -> None:
        for tp, start in starts.items():
            if start is not None:
                await self._seek(TopicPartition(*tp), start)
        beginnings = [TopicPartition(*tp) for tp, start in starts.items() if start is None]
        if beginnings:
            await self._thread.seek_to_beginning(*beginnings)

    def progress_of(self, tp: TP) -> PartitionProgress:
        """Returns the progress in a partition.

        `next_offset` is None when it is read from its beginning and nothing is counted yet.
        """
        consumer, partition = self._thread._ensure_consumer(), TopicPartition(*tp)
        try:
            highwater = consumer.highwater(partition)
            heard_ms = consumer.last_poll_timestamp(partition)
        except (AssertionError, AttributeError, KeyError):
            return PartitionProgress(None, None, None)  # It was revoked meanwhile.
        next_offset = self._offset_store.tracker.expected().get(tp)
        return PartitionProgress(next_offset, highwater, heard_ms / 1000 if heard_ms else None)


class AnalyticsTransport(Transport):
    Consumer = AnalyticsConsumer
