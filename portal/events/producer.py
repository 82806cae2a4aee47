"""Sends messages to Kafka, and tells of each what became of it.

The producer is made on first use and dropped after any failure.
"""

from collections.abc import Sequence
from contextlib import suppress
from functools import partial

from django.conf import settings
from kafka.errors import (
    InvalidRecordError,
    KafkaError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
)

from portal.events.deadline_client import Deadline, DeadlineClient
from portal.events.deliveries import LARGEST_MESSAGE, Delivery, Receipt, Refusal
from portal.events.encoding import Message
from portal.events.wave_producer import WaveProducer

# The broker refuses these however often they are sent.
_REFUSALS = (InvalidRecordError, MessageSizeTooLargeError, RecordListTooLargeError)
_ANSWER_SECONDS = 8.0  # To wait for the answer to one message.


class KafkaSender:
    """Sends patient events. Make it after any fork, and use it in one thread."""

    def __init__(self, topic: str | None = None) -> None:
        self._topic = topic or settings.KAFKA_TOPIC_PATIENT
        self._producer: WaveProducer | None = None
        self._deadline = Deadline()

    def deliver(self, messages: Sequence[Message], *, before: float) -> Delivery:
        """Returns once the broker has acknowledged each message or refused it for good.

        What has not left by `before`, on the monotonic clock, never leaves: another relay may lead
        by then. Raises KafkaError when any other delivery is uncertain; then all of them have to
        be sent again.
        """
        self._deadline.at = before
        try:
            return self._deliver(messages)
        except KafkaError:
            self.close()
            raise

    def _deliver(self, messages: Sequence[Message]) -> Delivery:
        producer = self._producer = self._producer or _new_producer(self._deadline)
        receipts, refusals = [], []
        for message, future in producer.send_wave(self._topic, messages):
            try:
                # A flush alone would not tell of a failed send.
                place = future.get(timeout=_ANSWER_SECONDS)
                receipts.append(Receipt(message, place.partition, place.offset))
            except _REFUSALS as error:
                refusals.append(Refusal(message, type(error).__name__))
        return Delivery(receipts, refusals)

    def close(self) -> None:
        """Drops the connection and all that is not acknowledged: that is still in the outbox."""
        producer, self._producer = self._producer, None
        if producer is not None:
            # close() alone waits for unsent messages, raises, and its thread sends them later.
            producer._sender.force_close()
            producer._sender.join(timeout=2)
            with suppress(KafkaError):
                producer.close(timeout=0)


def _new_producer(deadline: Deadline) -> WaveProducer:
    """Connects; raises KafkaError within seconds while no broker answers."""
    return WaveProducer(
        bootstrap_servers=settings.KAFKA_BOOTSTRAP_SERVERS,
        api_version=settings.KAFKA_API_VERSION,
        client_id="patient-portal-relay",
        acks="all",
        enable_idempotence=True,
        batch_size=256 * 1024,
        max_request_size=LARGEST_MESSAGE,
        linger_ms=0,  # A wave comes whole.
        max_block_ms=5_000,
        bootstrap_timeout_ms=5_000,
        request_timeout_ms=4_000,
        delivery_timeout_ms=5_000,
        reconnect_backoff_max_ms=2_000,
        kafka_client=partial(DeadlineClient, deadline),
        metrics_enabled=False,
    )
