"""Reads the last events on the topic, to know up to which number events were given out."""

import time

from django.conf import settings
from google.protobuf.message import DecodeError
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaTimeoutError

from protos.patient.events.v1.patient_event_pb2 import PatientEvent

TAIL = 500  # Events at the end of each partition: a patient whose events came again may be last.
SECONDS = 5.0  # That reading them may take.


def read_last_event_ids(topic: str) -> list[int]:
    """Returns the numbers of the last events of each partition, at most TAIL of each.

    Raises KafkaError while the broker is away, or does not hand out its events in time.
    """
    consumer = KafkaConsumer(
        bootstrap_servers=settings.KAFKA_BOOTSTRAP_SERVERS,
        api_version=settings.KAFKA_API_VERSION,
        client_id="patient-portal-relay-numbers",
        group_id=None,
        enable_auto_commit=False,
        request_timeout_ms=5_000,
        bootstrap_timeout_ms=2_000,
        allow_auto_create_topics=False,
        metrics_enabled=False,
    )
    try:
        return _read(consumer, topic)
    finally:
        consumer.close()


def _read(consumer: KafkaConsumer, topic: str) -> list[int]:
    numbers = consumer.partitions_for_topic(topic) or ()
    partitions = [TopicPartition(topic, number) for number in sorted(numbers)]
    consumer.assign(partitions)
    begins, ends = consumer.beginning_offsets(partitions), consumer.end_offsets(partitions)
    unread = {partition for partition in partitions if ends[partition] > begins[partition]}
    for partition in unread:
        consumer.seek(partition, max(begins[partition], ends[partition] - TAIL))
    event_ids: list[int] = []
    deadline = time.monotonic() + SECONDS
    while unread:
        if time.monotonic() > deadline:
            raise KafkaTimeoutError
        for records in consumer.poll(timeout_ms=200).values():
            event_ids += [_event_id(record.value) for record in records]
        unread = {
            partition
            for partition in unread
            if (consumer.position(partition, timeout_ms=5_000) or 0) < ends[partition]
        }
    return event_ids


def _event_id(value: bytes | None) -> int:
    try:
        return int(PatientEvent.FromString(value or b"").event_id)
    except DecodeError:
        return 0
