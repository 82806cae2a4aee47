"""Reads the topic from its beginning to its known end, as lines for the database."""

import re
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Any

from django.conf import settings
from google.protobuf.message import DecodeError
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from portal.events.broker import KafkaBroker
from portal.reconciliation.stores import StoreAway
from protos.patient.events.v1.patient_event_pb2 import PatientEvent

SILENCE_SECONDS = 20.0  # Without a record, after which the broker counts as away.
TRIES = 3  # To learn the ends of the topic.
POLL_RECORDS = 2_000  # In memory at once; what is fetched ahead comes on top.
FETCH_BYTES, PARTITION_BYTES = 8 * 2**20, 2 * 2**20  # Fetched ahead: in all, and of a partition.
_AWAY = "Kafka does not answer. See KAFKA_BOOTSTRAP_SERVERS, and check again."
_SILENT = "Kafka has messages that it does not hand out. Look at the broker, and check again."
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass
class Tally:
    """What was read. `strays` cannot be decoded, or have another key than their patient's."""

    messages: int = 0
    strays: int = 0
    is_whole: bool = True
    forgets_by: str = ""  # The settings that make the topic forget.


class TopicReader:
    """Reads on from where it stopped. Several threads may use it, one after the other."""

    def __init__(self) -> None:
        self.tally = Tally()
        self._broker = KafkaBroker()
        self._consumer: KafkaConsumer | None = None
        self._next: dict[TopicPartition, int] = {}

    def read_on(self, lines: IO[bytes]) -> None:
        """Writes each message up to the present ends as a line of `read_message`.

        Raises StoreAway while the broker is away, or has no topic.
        """
        try:
            ends = self._ends()
            self.tally.forgets_by = self._forgetting_settings()
            consumer = self._consumer or self._open(list(ends))
            self._read(consumer, ends, lines)
        except KafkaError as error:
            self.close()
            raise StoreAway(_AWAY) from error

    def close(self) -> None:
        self._broker.close()
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            consumer.close()

    def _ends(self) -> dict[TopicPartition, int]:
        """Asks more than once before the broker counts as away: each question ends soon."""
        topic = settings.KAFKA_TOPIC_PATIENT
        for _ in range(TRIES - 1):
            with suppress(KafkaError):
                ends = self._broker.end_offsets()
                break
        else:
            ends = self._broker.end_offsets()
        if not ends:
            raise StoreAway(f"There is no topic {topic}. Run manage.py create_topics.")
        return {TopicPartition(topic, number): end for number, end in ends.items()}

    def _forgetting_settings(self) -> str:
        try:
            return ", ".join(self._broker.forgetting_settings())
        except KafkaError:
            return self.tally.forgets_by  # It may lack the right to its settings.

    def _open(self, partitions: list[TopicPartition]) -> KafkaConsumer:
        consumer = self._consumer = _new_consumer()
        consumer.assign(partitions)
        self._next = consumer.beginning_offsets(partitions)
        # A broker that keeps a window, or has lost its topic, proves nothing of what it lacks.
        self.tally.is_whole = not settings.KAFKA_WINDOW_BYTES and not any(self._next.values())
        for partition, offset in self._next.items():
            consumer.seek(partition, offset)
        return consumer

    def _read(
        self, consumer: KafkaConsumer, ends: dict[TopicPartition, int], lines: IO[bytes]
    ) -> None:
        heard_at = time.monotonic()
        while unread := self._unread(ends):
            batches = consumer.poll(timeout_ms=200, max_records=POLL_RECORDS)
            for partition, records in batches.items():
                lines.writelines(filter(None, map(self._line, records)))
                self._next[partition] = records[-1].offset + 1
            for partition in unread:  # Markers of transactions are no records, but take offsets.
                position = consumer.position(partition, timeout_ms=5_000) or 0
                self._next[partition] = max(self._next[partition], position)
            if batches:
                heard_at = time.monotonic()
            elif time.monotonic() - heard_at > SILENCE_SECONDS:
                raise StoreAway(_SILENT)

    def _unread(self, ends: dict[TopicPartition, int]) -> list[TopicPartition]:
        return [
            partition for partition, end in ends.items() if self._next.get(partition, end) < end
        ]

    def _line(self, record: Any) -> bytes | None:
        self.tally.messages += 1
        try:
            event = PatientEvent.FromString(record.value or b"")
        except DecodeError:
            event = PatientEvent()
        patient, key = event.patient_id, record.key
        if (
            event.event_id < 1
            or event.version < 1
            or key != patient.encode()
            or not _UUID.fullmatch(patient)
        ):
            self.tally.strays += 1
            return None
        return b"%d\t%s\t%d\t%d\t%d\n" % (
            event.event_id,
            key,
            event.version,
            record.partition,
            record.offset,
        )


def _new_consumer() -> KafkaConsumer:
    """Makes a consumer without a group, so that no group's position moves.

    Make it only once the broker has answered: it would wait for it.
    """
    return KafkaConsumer(
        bootstrap_servers=settings.KAFKA_BOOTSTRAP_SERVERS,
        api_version=settings.KAFKA_API_VERSION,
        client_id="patient-portal-reconcile",
        group_id=None,
        enable_auto_commit=False,
        fetch_max_bytes=FETCH_BYTES,
        max_partition_fetch_bytes=PARTITION_BYTES,
        max_poll_records=POLL_RECORDS,
        request_timeout_ms=15_000,
        bootstrap_timeout_ms=5_000,
        reconnect_backoff_max_ms=2_000,
        allow_auto_create_topics=False,
        metrics_enabled=False,
    )
