"""What a consumer sees of a topic on the real broker."""

import json
import secrets
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from protos.patient.events.v1.patient_event_pb2 import PatientEvent


@dataclass(frozen=True)
class Record:
    key: str
    event: PatientEvent
    headers: dict[str, str]

    def __str__(self) -> str:
        return json.dumps(self.headers)


class Topic:
    """Reads everything from the beginning, again and again."""

    def __init__(self, address: str, name: str) -> None:
        self.address, self.name = address, name

    def records(self, count: int = 0) -> list[Record]:
        """All there is, once at least `count` are there; fails when they do not come."""
        found: list[Record] = []
        with reading(self.address, self.name) as consumer:
            quiet = 0
            while quiet < (2 if len(found) >= count else 100):
                messages = consumer.consume(1_000, timeout=0.2)
                quiet = 0 if messages else quiet + 1
                found += [record(message) for message in messages if not message.error()]
        assert len(found) >= count, f"{len(found)} of {count} records came"
        return found

    def versions(self, count: int = 0) -> dict[str, list[int]]:
        """For each patient the versions in the order in which they came first; repeats are left out."""
        seen: dict[str, list[int]] = defaultdict(list)
        for one in self.records(count):
            if one.event.version not in seen[one.key]:
                seen[one.key].append(one.event.version)
        return dict(seen)


@contextmanager
def reading(address: str, topic: str) -> Iterator[Consumer]:
    quiet = {"log_level": 0, "enable.auto.commit": False, "topic.metadata.refresh.interval.ms": 500}
    consumer = Consumer({"bootstrap.servers": address, "group.id": secrets.token_hex(8), **quiet})
    partitions = consumer.list_topics(topic, timeout=20).topics[topic].partitions
    consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in partitions])
    try:
        yield consumer
    finally:
        consumer.close()


def record(message) -> Record:
    headers = {name: value.decode() for name, value in message.headers() or []}
    return Record(message.key().decode(), PatientEvent.FromString(message.value()), headers)
