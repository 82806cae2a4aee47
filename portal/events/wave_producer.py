"""kafka-python's producer with a shorter way in for many messages at once.

Its own `send` checks, measures and encodes each message on the way through four classes, which
costs more than all the rest of the relay. Here the messages of a wave become whole batches, which
the producer's own thread sends, numbers and repeats as ever.
"""

import struct
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cache

from kafka import KafkaProducer, TopicPartition
from kafka.errors import IllegalStateError, MessageSizeTooLargeError
from kafka.producer.future import FutureProduceResult, FutureRecordMetadata
from kafka.producer.producer_batch import ProducerBatch
from kafka.record.default_records import DefaultRecordBatchBuilder
from kafka.record.memory_records import MemoryRecordsBuilder

from portal.events.encoding import Message

_LARGEST_HEAD = (  # Bytes of a batch and of a record before the key.
    DefaultRecordBatchBuilder.HEADER_STRUCT.size + DefaultRecordBatchBuilder.MAX_RECORD_OVERHEAD
)
_NO_COMPRESSION, _FORMAT = 0, 2
Outcome = tuple[Message, FutureRecordMetadata]


class WaveProducer(KafkaProducer):
    """Sends messages that have a key, uncompressed, in Kafka's format since 0.11."""

    def send_wave(self, topic: str, messages: Sequence[Message]) -> list[Outcome]:
        """Hands all messages over, and returns the future of each; those of a partition in order.

        Raises KafkaError where the broker does not tell the partitions in time.
        """
        numbers = sorted(self._wait_on_metadata(topic, self.config["max_block_ms"]))
        lanes: defaultdict[int, list[Message]] = defaultdict(list)
        for message in messages:
            lanes[numbers[partition_of(message.key, len(numbers))]].append(message)
        batches: list[ProducerBatch] = []
        outcomes: list[Outcome] = []
        for number, lane in sorted(lanes.items()):
            for batch, found in self._fill(TopicPartition(topic, number), lane):
                batches.append(batch)
                outcomes += found
        self._enqueue(batches)
        return outcomes

    def _fill(
        self, place: TopicPartition, messages: Iterable[Message]
    ) -> Iterator[tuple[ProducerBatch, list[Outcome]]]:
        """Yields batches, each with the futures of its messages and of those that are too large."""
        moment = int(time.time() * 1000)
        largest = self.config["max_request_size"] - _LARGEST_HEAD
        batch, outcomes = _Wave.batch(place, self.config["batch_size"]), list[Outcome]()
        for message in messages:
            body = encode_body(message)
            if len(body) > largest:
                refused = _future(FutureProduceResult(place), 0, moment)
                outcomes.append((message, refused.failure(MessageSizeTooLargeError())))
                continue
            if not batch.records.has_room_for(body):
                yield batch, outcomes
                batch, outcomes = _Wave.batch(place, self.config["batch_size"]), []
            future = _future(batch.produce_future, batch.records.add(body, moment), moment)
            batch._record_futures.append(future)
            outcomes.append((message, future))
        yield batch, outcomes

    def _enqueue(self, batches: Iterable[ProducerBatch]) -> None:
        accumulator = self._accumulator
        accumulator._appends_in_progress.increment()
        try:
            for batch in batches:
                if not batch.record_count:
                    continue
                with accumulator._tp_lock(batch.topic_partition):
                    if accumulator._closed:
                        raise IllegalStateError
                    accumulator._batches[batch.topic_partition].append(batch)
                    accumulator._incomplete.add(batch)
        finally:
            accumulator._appends_in_progress.decrement()
        self._sender.wakeup()


class _Wave(MemoryRecordsBuilder):
    """The records of a batch; takes them encoded."""

    _next_offset: int

    @classmethod
    def batch(cls, place: TopicPartition, size: int) -> ProducerBatch:
        return ProducerBatch(place, cls(_FORMAT, _NO_COMPRESSION, size))

    def has_room_for(self, body: bytes) -> bool:
        """Tells whether the record fits; the first one always does."""
        return not self._next_offset or self._builder.size() + 12 + len(body) <= self._batch_size

    def add(self, body: bytes, moment: int) -> int:
        """Adds a record and returns its number in the batch."""
        builder, number = self._builder, self._next_offset
        offset = varint(number)
        builder._buffer += b"".join((varint(2 + len(offset) + len(body)), b"\0\0", offset, body))
        builder._first_timestamp = builder._max_timestamp = moment
        builder._num_records, builder._last_offset = number + 1, number
        self._next_offset = number + 1
        return number


def encode_body(message: Message) -> bytes:
    """Returns a record from its key on: key, value and headers, each after its length."""
    key, value, headers = message.key, message.value, message.headers
    parts = [varint(len(key)), key, varint(len(value)), value, varint(len(headers))]
    for name, data in headers:
        parts += (_encode_name(name), varint(len(data)), data)
    return b"".join(parts)


def partition_of(key: bytes, count: int) -> int:
    """Returns which of `count` partitions every producer of Kafka chooses for this key."""
    return (murmur2(key) & 0x7FFFFFFF) % count


def murmur2(data: bytes) -> int:
    """Returns Kafka's hash, as `kafka.partitioner.default.murmur2` does in twice the time."""
    length = len(data)
    whole = length & ~3
    result = 0x9747B28C ^ length
    for word in struct.unpack_from(f"<{whole >> 2}I", data):
        word = word * 0x5BD1E995 & 0xFFFFFFFF
        result = (result * 0x5BD1E995 ^ (word ^ word >> 24) * 0x5BD1E995) & 0xFFFFFFFF
    if rest := data[whole:]:
        result = (result ^ int.from_bytes(rest, "little")) * 0x5BD1E995 & 0xFFFFFFFF
    result = (result ^ result >> 13) * 0x5BD1E995 & 0xFFFFFFFF
    return result ^ result >> 15


def varint(number: int) -> bytes:
    """Returns a number from 0 on as Kafka writes it: doubled, seven bits in a byte."""
    return _SHORT[number] if number < len(_SHORT) else _encode_varint(number)


def _encode_varint(number: int) -> bytes:
    number <<= 1
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


_SHORT = [_encode_varint(number) for number in range(2_000)]


@cache
def _encode_name(name: str) -> bytes:
    encoded = name.encode()
    return varint(len(encoded)) + encoded


def _future(result: FutureProduceResult, number: int, moment: int) -> FutureRecordMetadata:
    return FutureRecordMetadata(result, number, moment, None, -1, -1, -1)
