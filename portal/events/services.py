"""Changes to the outbox: events leave it delivered or quarantined, and come back on request."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Protocol
from uuid import UUID

import structlog
from django.conf import settings
from django.db import connection, transaction

from portal.accounts.models import User
from portal.arrays import array_of
from portal.errors import ROW_ERRORS
from portal.events.deliveries import LARGEST_MESSAGE, Delivery, Receipt
from portal.events.encoding import Message, encode
from portal.events.leases import confirm_lease, require_lease
from portal.events.log_reader import log_rows, previous_rows, waiting_event_ids
from portal.events.models import QuarantinedEvent
from portal.events.topic_loss import record_receipts
from portal.patients.models import EventOutbox, PatientEvent

log = structlog.get_logger("portal.events")
BATCH_SIZE = 1_000  # Events that are taken from the outbox in one round.
_LEAVE_OUTBOX = """
    WITH resent AS (DELETE FROM events_quarantinedevent WHERE event_id = ANY(%(sent)s::bigint[]))
    DELETE FROM patients_eventoutbox WHERE event_id = ANY(%(gone)s::bigint[])
"""


class Sender(Protocol):
    """What `deliver_waiting` needs of Kafka; `producer.KafkaSender` is the real one."""

    def deliver(self, messages: Sequence[Message], *, before: float) -> Delivery: ...


def deliver_waiting(
    sender: Sender, *, fence: int, limit: int = BATCH_SIZE, room: int | None = None
) -> int:
    """Sends the oldest waiting events; returns the number that left the outbox.

    It sends at most `limit` events and at most `room` bytes. An event leaves the outbox only after
    its acknowledgement, and a patient's next event is sent only after the one before was
    acknowledged: no failure, and no second relay, can put them out of order on the topic.
    Raises what the sender raises, and LeaseLost when another process leads. Either way the rest
    stays in the outbox.
    """
    messages, broken = encode_events(waiting_event_ids(limit))
    messages = messages if room is None else fit_messages(messages, room)
    receipts: list[Receipt] = []
    try:
        for wave in split_into_waves(messages):
            delivery = sender.deliver(wave, before=confirm_lease(fence).until)
            receipts += delivery.receipts
            for refusal in delivery.refusals:
                message = refusal.message
                broken.append(_quarantined(message.event_id, message.patient_id, refusal.reason))
    finally:
        if receipts or broken:
            record_delivery(receipts, broken, fence=fence)
    return len(receipts) + len(broken)


def split_into_waves(messages: Sequence[Message]) -> Iterator[list[Message]]:
    """Splits messages so that a wave has at most one of a patient, and a patient's keep order."""
    waiting = list(messages)
    while waiting:
        wave: dict[str, Message] = {}
        later = []
        for message in waiting:
            if message.patient_id in wave:
                later.append(message)
            else:
                wave[message.patient_id] = message
        yield list(wave.values())
        waiting = later


def fit_messages(messages: Sequence[Message], room: int) -> list[Message]:
    """Returns the first messages that fit into `room` bytes.

    A message that is too large for the broker counts as the largest: the broker shall refuse it.
    """
    sizes = accumulate(min(message.size, LARGEST_MESSAGE) for message in messages)
    return [message for message, size in zip(messages, sizes, strict=True) if size <= room]


def encode_events(event_ids: Sequence[int]) -> tuple[list[Message], list[QuarantinedEvent]]:
    """Returns the messages in the order of the ids, and the events that cannot be encoded.

    A bad row does not spoil the others.
    """
    try:
        return _encode_all(event_ids)
    except ROW_ERRORS:
        pass  # Find the row that spoils the batch.
    messages: list[Message] = []
    broken: list[QuarantinedEvent] = []
    for event_id in event_ids:
        result = _encode_one(event_id)
        if isinstance(result, Message):
            messages.append(result)
        else:
            broken.append(result)
    return messages, broken


def record_delivery(
    receipts: Sequence[Receipt], broken: Sequence[QuarantinedEvent], *, fence: int
) -> None:
    """Takes delivered and quarantined events out of the outbox.

    It is one transaction, which only the leader can commit.
    """
    sent = [receipt.message.event_id for receipt in receipts]
    gone = [*sent, *(event.event_id for event in broken)]
    with transaction.atomic():
        require_lease(fence)
        with connection.cursor() as cursor:
            cursor.execute(_LEAVE_OUTBOX, {"sent": array_of(sent), "gone": array_of(gone)})
        QuarantinedEvent.objects.bulk_create(broken, ignore_conflicts=True)
        record_receipts(receipts)
    for event in broken:
        log.error("event_quarantined", event_id=event.event_id, reason=event.reason)


def requeue_quarantined(event_ids: Iterable[int], *, by: User | None) -> int:
    """Puts quarantined events back into the outbox; returns how many."""
    with transaction.atomic():
        rows = QuarantinedEvent.objects.select_for_update().filter(pk__in=list(event_ids))
        ids = [row.event_id for row in rows]
        EventOutbox.objects.bulk_create(
            [EventOutbox(event_id=event_id) for event_id in ids], ignore_conflicts=True
        )
        QuarantinedEvent.objects.filter(pk__in=ids).delete()
    log.info("events_sent_again", count=len(ids), actor=by.pk if by else None)
    return len(ids)


def _encode_all(event_ids: Sequence[int]) -> tuple[list[Message], list[QuarantinedEvent]]:
    rows = log_rows(event_ids)
    previous = previous_rows(rows.values())
    contact = settings.EVENTS_INCLUDE_CONTACT
    messages = [
        encode(row, previous.get(row.pgh_id), include_contact=contact) for row in rows.values()
    ]
    missing = [
        _quarantined(event_id, None, "NotInTheLog")
        for event_id in event_ids
        if event_id not in rows
    ]
    return messages, missing


def _encode_one(event_id: int) -> Message | QuarantinedEvent:
    try:
        messages, missing = _encode_all([event_id])
    except ROW_ERRORS as error:
        row = PatientEvent.objects.filter(pk=event_id).values_list("pgh_obj_id", flat=True)
        return _quarantined(event_id, row.first(), type(error).__name__)
    return messages[0] if messages else missing[0]


def _quarantined(event_id: int, patient_id: UUID | str | None, reason: str) -> QuarantinedEvent:
    return QuarantinedEvent(event_id=event_id, patient_id=patient_id, reason=reason)
