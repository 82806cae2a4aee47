"""The events loop of the relay."""

import time
from collections.abc import Callable

import structlog
from django.conf import settings
from kafka.errors import KafkaError

from portal.events.broker import Broker, KafkaBroker
from portal.events.log_reader import has_waiting_events
from portal.events.pacing import PacedSender
from portal.events.producer import KafkaSender
from portal.events.retention import record_retention
from portal.events.services import BATCH_SIZE, Sender, deliver_waiting
from portal.events.topic_loss import detect_loss, refill_outbox
from portal.patients.number_series import continue_numbers, database_identity
from portal.relay_loops import Round

log = structlog.get_logger("portal.events")
CHECK_SECONDS = 2.0  # Between two looks at the topic while nothing waits.
SETTINGS_SECONDS = 60.0  # Between two looks at the topic's settings.


class EventsLoop:
    """Empties the outbox onto the topic, a batch each round; fills a topic that lost its events.

    It looks where the topic ends before it sends, and every two seconds while nothing waits. Each
    minute it looks whether the topic's settings keep every event. When it begins to lead, and when
    the database is another one, it looks whether the topic has later events than the log, as after
    a restored backup.
    """

    def __init__(
        self,
        sender: Sender | None = None,
        broker: Broker | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sender = sender or KafkaSender()
        self._broker = broker or KafkaBroker()
        self._clock = clock
        self._paced = (
            PacedSender(self._sender, self._broker) if settings.KAFKA_WINDOW_BYTES else None
        )
        self._check_at = self._settings_at = self._numbers_at = float("-inf")
        # The leadership in which the numbers were compared, and the database's identity then.
        self._numbers_compared = (0, "")

    def step(self, fence: int) -> Round:
        if refill_outbox(fence=fence):
            return Round.MORE
        is_waiting = has_waiting_events()
        if (is_waiting or self._clock() >= self._check_at) and self._has_lost_events(fence):
            return Round.MORE
        if not is_waiting:
            return Round.IDLE
        count = self._deliver(fence)
        if count >= BATCH_SIZE:
            return Round.MORE
        return Round.DONE if count else Round.IDLE

    def close(self) -> None:
        for peer in (self._sender, self._broker):
            if isinstance(peer, KafkaSender | KafkaBroker):
                peer.close()

    def _deliver(self, fence: int) -> int:
        if self._paced is None:
            return deliver_waiting(self._sender, fence=fence)
        room = self._paced.room()
        return deliver_waiting(self._paced, fence=fence, room=room) if room else 0

    def _look_at_settings(self, fence: int) -> None:
        self._settings_at = self._clock() + SETTINGS_SECONDS
        try:
            record_retention(self._broker.forgetting_settings(), fence=fence)
        except KafkaError as error:  # The right to read settings is no condition for sending.
            log.warning("topic_settings_unknown", error=type(error).__name__)

    def _look_at_numbers(self, fence: int) -> None:
        identity = database_identity()
        if (fence, identity) == self._numbers_compared:
            return
        try:
            continue_numbers(self._broker.last_event_ids(), identity=identity)
            self._numbers_compared = (fence, identity)
        except KafkaError as error:
            self._numbers_at = self._clock() + SETTINGS_SECONDS
            log.warning("numbers_not_compared", error=type(error).__name__)

    def _has_lost_events(self, fence: int) -> bool:
        ends = self._broker.end_offsets()
        self._check_at = self._clock() + CHECK_SECONDS
        if ends and self._clock() >= self._settings_at:
            self._look_at_settings(fence)
        if ends and self._clock() >= self._numbers_at:
            self._look_at_numbers(fence)
        return detect_loss(ends, fence=fence)
