"""Reads the fingerprint of each partition from the broker, to find that a topic was replaced."""

import asyncio
from collections.abc import Collection, Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from faust.types import TP

from analytics_stream.offsets import fingerprint

READ_SECONDS = 10.0  # Longest wait for the broker before its answer counts as missing.

Fingerprints = dict[TP, bytes | None]
"""The fingerprint of each partition's first message, None for an empty partition."""


async def read_fingerprints(
    brokers: Sequence[str], partitions: Collection[TP]
) -> Fingerprints | None:
    """Returns the fingerprints of these partitions; None when the broker does not answer.

    A partition whose beginning the broker forgot is left out: its first message says nothing.
    """
    if not partitions:
        return {}
    consumer = AIOKafkaConsumer(
        bootstrap_servers=list(brokers),
        group_id=None,
        enable_auto_commit=False,
        request_timeout_ms=5000,
    )
    try:
        async with asyncio.timeout(READ_SECONDS):
            await consumer.start()
            return await _read_all(consumer, [TopicPartition(*tp) for tp in partitions])
    except (KafkaError, OSError, TimeoutError):
        return None
    finally:
        await consumer.stop()


async def _read_all(consumer: AIOKafkaConsumer, partitions: list[TopicPartition]) -> Fingerprints:
    consumer.assign(partitions)
    beginnings = await consumer.beginning_offsets(partitions)
    ends = await consumer.end_offsets(partitions)
    fingerprints: Fingerprints = {}
    for partition in partitions:
        if beginnings[partition] > 0:
            continue
        fingerprints[TP(*partition)] = None
        if beginnings[partition] < ends[partition]:
            consumer.seek(partition, beginnings[partition])
            fingerprints[TP(*partition)] = fingerprint(await consumer.getone(partition))
    return fingerprints
