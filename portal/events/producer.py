"""The door to Kafka: made on first use, thrown away after any failure, and honest about every message."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.conf import settings
from kafka import KafkaProducer
from kafka.errors import (
    InvalidRecordError,
    KafkaError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
)

from portal.events.deadline_client import Deadline, DeadlineClient
from portal.events.encoding import Message

# Whatever we retry, the broker will refuse these again.
_REFUSALS = (InvalidRecordError, MessageSizeTooLargeError, RecordListTooLargeError)
LARGEST_MESSAGE = 1024 * 1024
_WAIT_SECONDS = 8.0


@dataclass(frozen=True)
class Refusal:
    """A message that the broker will never take, and the kind of its error."""

    message: Message
    reason: str


@dataclass(frozen=True)
class Receipt:
    """Where the broker put a message. The offset is -1 where it does not tell."""

    message: Message
    partition: int
    offset: int


@dataclass(frozen=True)
class Delivery:
    """What became of each of some messages."""

    receipts: list[Receipt]
    refusals: list[Refusal]


class KafkaSender:
    """Sends patient events. Make it after any fork, use it in one thread."""

    def __init__(self, topic: str | None = None) -> None:
        self._topic = topic or settings.KAFKA_TOPIC_PATIENT
        self._producer: KafkaProducer | None = None
        self._deadline = Deadline()

    def deliver(self, messages: Sequence[Message], *, before: float) -> Delivery:
        """Return once the broker has acknowledged every message, but for those it refuses for good.

        What has not left by `before`, on the monotonic clock, never leaves: another relay may lead by then.
        Raises KafkaError when any other delivery is uncertain; then all of them have to be sent again.
        """
        self._deadline.at = before
        try:
            return self._deliver(messages)
        except KafkaError:
            self.close()
            raise

    def _deliver(self, messages: Sequence[Message]) -> Delivery:
        if self._producer is None:
            self._producer = _new_producer(self._deadline)
        receipts, refusals, pending = [], [], []
        for message in messages:
            try:
                pending.append((message, self._send(message)))
            except _REFUSALS as error:
                refusals.append(Refusal(message, type(error).__name__))
        for message, future in pending:
            try:
                # A flush alone would not tell of a failed send.
                place = future.get(timeout=_WAIT_SECONDS)
                receipts.append(Receipt(message, place.partition, place.offset))
            except _REFUSALS as error:
                refusals.append(Refusal(message, type(error).__name__))
        return Delivery(receipts, refusals)

    def _send(self, message: Message) -> Any:
        assert self._producer is not None  # noqa: S101
        return self._producer.send(
            self._topic, key=message.key, value=message.value, headers=message.headers
        )

    def close(self) -> None:
        """Drop the connection and whatever was not acknowledged: it is still in the outbox."""
        producer, self._producer = self._producer, None
        if producer is not None:
            # close() alone waits for unsent messages, raises, and leaves its thread sending them later.
            producer._sender.force_close()
            producer._sender.join(timeout=2)
            with suppress(KafkaError):
                producer.close(timeout=0)


def _new_producer(deadline: Deadline) -> KafkaProducer:
    """Raises KafkaError within seconds while no broker answers."""
    return KafkaProducer(
        bootstrap_servers=settings.KAFKA_BOOTSTRAP_SERVERS,
        api_version=settings.KAFKA_API_VERSION,
        client_id="patient-portal-relay",
        acks="all",
        enable_idempotence=True,
        batch_size=256 * 1024,
        max_request_size=LARGEST_MESSAGE,
        linger_ms=2,
        max_block_ms=5_000,
        bootstrap_timeout_ms=5_000,
        request_timeout_ms=4_000,
        delivery_timeout_ms=5_000,
        reconnect_backoff_max_ms=2_000,
        kafka_client=partial(DeadlineClient, deadline),
        metrics_enabled=False,
    )
