"""The topic as it is on the broker, read from its beginning to its known end as lines for the database."""

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

SILENCE_SECONDS = 20.0
TRIES = 3
AT_ONCE = 2_000  # Records in hand; with what is fetched ahead this bounds the memory.
FETCH_BYTES, PARTITION_BYTES = 8 * 2**20, 2 * 2**20
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass
class Tally:
    """What was read. `strays` are no events of ours: undecodable, or under another key than their patient's."""

    messages: int = 0
    strays: int = 0
    is_whole: bool = True


class TopicReader:
    """Reads on from where it stopped; made in the thread or threads that read, one after the other."""

    def __init__(self) -> None:
        self.tally = Tally()
        self._broker = KafkaBroker()
        self._consumer: KafkaConsumer | None = None
        self._next: dict[TopicPartition, int] = {}

    def read_on(self, lines: IO[bytes]) -> None:
        """Write every message up to the ends of now as a line of `read_message`. StoreAway if the broker is."""
        try:
            ends = self._ends()
            if self._consumer is None:
                self._open(list(ends))
            self._read(ends, lines)
        except KafkaError as error:
            self.close()
            raise StoreAway(
                "Kafka does not answer. See KAFKA_BOOTSTRAP_SERVERS, and check again."
            ) from error

    def close(self) -> None:
        self._broker.close()
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            consumer.close()

    def _ends(self) -> dict[TopicPartition, int]:
        """The broker's own patience is short: it is asked more than once before it counts as away."""
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

    def _open(self, places: list[TopicPartition]) -> None:
        consumer = self._consumer = _new_consumer()
        consumer.assign(places)
        self._next = consumer.beginning_offsets(places)
        # A broker that keeps a window, or has lost its topic, is no witness of what it does not hold.
        self.tally.is_whole = not settings.KAFKA_WINDOW_BYTES and not any(self._next.values())
        for place, offset in self._next.items():
            consumer.seek(place, offset)

    def _read(self, ends: dict[TopicPartition, int], lines: IO[bytes]) -> None:
        assert self._consumer is not None  # noqa: S101
        heard_at = time.monotonic()
        while behind := [place for place, end in ends.items() if self._next.get(place, end) < end]:
            batches = self._consumer.poll(timeout_ms=200, max_records=AT_ONCE)
            for place, records in batches.items():
                lines.writelines(filter(None, map(self._line, records)))
                self._next[place] = records[-1].offset + 1
            for place in behind:  # Markers of transactions are no records, but take offsets.
                self._next[place] = max(
                    self._next[place], self._consumer.position(place, timeout_ms=5_000) or 0
                )
            if batches:
                heard_at = time.monotonic()
            elif time.monotonic() - heard_at > SILENCE_SECONDS:
                raise StoreAway(
                    "Kafka has messages that it does not hand out. Look at the broker, and check again."
                )

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
    """Of no group, so that nobody's reading is moved. Made only once the broker has answered: it would wait for it."""
    return KafkaConsumer(
        bootstrap_servers=settings.KAFKA_BOOTSTRAP_SERVERS,
        api_version=settings.KAFKA_API_VERSION,
        client_id="patient-portal-reconcile",
        group_id=None,
        enable_auto_commit=False,
        fetch_max_bytes=FETCH_BYTES,
        max_partition_fetch_bytes=PARTITION_BYTES,
        max_poll_records=AT_ONCE,
        request_timeout_ms=15_000,
        bootstrap_timeout_ms=5_000,
        reconnect_backoff_max_ms=2_000,
        allow_auto_create_topics=False,
        metrics_enabled=False,
    )
