"""Asks the broker what each partition begins with, which tells a topic that was made anew from the one before."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from faust.types import TP

from analytics_stream.offsets import fingerprint

LONGEST_ASKING = 10.0  # seconds

Openings = dict[TP, bytes | None]
"""The fingerprint of each partition's first message, None where it has none."""


@dataclass(frozen=True, slots=True)
class FirstMessage:
    """A message as aiokafka reads it, with its time in seconds, as Faust tells it."""

    record: Any

    topic = property(lambda self: self.record.topic)
    partition = property(lambda self: self.record.partition)
    offset = property(lambda self: self.record.offset)
    timestamp = property(lambda self: self.record.timestamp / 1000)
    key = property(lambda self: self.record.key)
    value = property(lambda self: self.record.value)


async def openings(brokers: Sequence[str], partitions: Collection[TP]) -> Openings | None:
    """What these partitions begin with; None when the broker does not say."""
    if not partitions:
        return {}
    consumer = AIOKafkaConsumer(
        bootstrap_servers=list(brokers),
        group_id=None,
        enable_auto_commit=False,
        request_timeout_ms=5000,
    )
    try:
        async with asyncio.timeout(LONGEST_ASKING):
            await consumer.start()
            return await _read_first(consumer, [TopicPartition(*tp) for tp in partitions])
    except (KafkaError, OSError, TimeoutError):
        return None
    finally:
        await consumer.stop()


async def _read_first(consumer: AIOKafkaConsumer, partitions: list[TopicPartition]) -> Openings:
    consumer.assign(partitions)
    beginnings, ends = (
        await consumer.beginning_offsets(partitions),
        await consumer.end_offsets(partitions),
    )
    found: Openings = {}
    for partition in partitions:
        found[TP(*partition)] = None
        if beginnings[partition] < ends[partition]:
            consumer.seek(partition, beginnings[partition])
            found[TP(*partition)] = fingerprint(FirstMessage(await consumer.getone(partition)))
    return found
