"""Reads a topic on the real broker, as a consumer does."""

import json
import secrets
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from confluent_kafka import OFFSET_BEGINNING, Consumer, Message, TopicPartition

from protos.patient.events.v1.patient_event_pb2 import PatientEvent
from tests.waits import wait_for

READ_SECONDS = 60


@dataclass(frozen=True)
class Record:
    key: str
    event: PatientEvent
    headers: dict[str, str]

    def __str__(self) -> str:
        return json.dumps(self.headers)


class Topic:
    """A topic that is read from its beginning, again and again."""

    def __init__(self, address: str, name: str) -> None:
        self.address, self.name = address, name

    def records(self, count: int = 0) -> list[Record]:
        """Returns all records, once there are at least `count`; fails when they do not come."""
        if count == 0:
            return self._read()
        return wait_for(lambda: found if len(found := self._read()) >= count else None)

    def events_of(self, patient_id: str) -> list[PatientEvent]:
        """Returns this patient's events, in the order in which they came."""
        return [record.event for record in self.records() if record.key == patient_id]

    def versions(self, count: int = 0) -> dict[str, list[int]]:
        """Returns each patient's versions in the order in which they came, without repeats."""
        seen: dict[str, list[int]] = defaultdict(list)
        for record in self.records(count):
            if record.event.version not in seen[record.key]:
                seen[record.key].append(record.event.version)
        return dict(seen)

    def _read(self) -> list[Record]:
        """Reads up to where the topic ends now."""
        found: list[Record] = []
        deadline = time.monotonic() + READ_SECONDS
        with open_consumer(self.address, self.name) as (consumer, ends):
            while ends:
                assert time.monotonic() < deadline, (
                    f"the topic could not be read to {ends} in {READ_SECONDS} s"
                )
                polled = consumer.consume(1_000, timeout=0.2)
                messages = [message for message in polled if not message.error()]
                found += map(parse_record, messages)
                reached = {message.partition(): message.offset() + 1 for message in messages}
                ends = {number: end for number, end in ends.items() if reached.get(number, 0) < end}
        return found


@contextmanager
def open_consumer(address: str, topic: str) -> Iterator[tuple[Consumer, dict[int, int]]]:
    """Yields a consumer of the whole topic, and the end of each partition that is not empty."""
    quiet = {"log_level": 0, "enable.auto.commit": False, "topic.metadata.refresh.interval.ms": 500}
    consumer = Consumer({"bootstrap.servers": address, "group.id": secrets.token_hex(8), **quiet})
    try:
        partitions = consumer.list_topics(topic, timeout=20).topics[topic].partitions
        places = [TopicPartition(topic, number, OFFSET_BEGINNING) for number in partitions]
        marks = {
            place.partition: consumer.get_watermark_offsets(place, timeout=20) for place in places
        }
        consumer.assign(places)
        yield (
            consumer,
            {number: end for number, (beginning, end) in marks.items() if beginning < end},
        )
    finally:
        consumer.close()


def parse_record(message: Message) -> Record:
    headers = {name: value.decode() for name, value in message.headers() or []}
    return Record(message.key().decode(), PatientEvent.FromString(message.value()), headers)
