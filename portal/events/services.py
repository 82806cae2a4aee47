"""What may change here: events leave the outbox when the broker has them, go to quarantine, or are asked for again."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Protocol
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction

from portal.accounts.models import User
from portal.events.encoding import Message, encode
from portal.events.leases import confirm_lease, require_lease
from portal.events.log_reader import log_rows, previous_rows, waiting_event_ids
from portal.events.models import QuarantinedEvent
from portal.events.producer import LARGEST_MESSAGE, Delivery, Receipt
from portal.events.topic_loss import record_receipts
from portal.patients.models import EventOutbox, PatientEvent

log = structlog.get_logger("portal.events")
BATCH_SIZE = 1_000


class Sender(Protocol):
    """What `deliver_waiting` needs of Kafka; `producer.KafkaSender` is the real one."""

    def deliver(self, messages: Sequence[Message], *, before: float) -> Delivery: ...


def deliver_waiting(
    sender: Sender, *, fence: int, limit: int = BATCH_SIZE, room: int | None = None
) -> int:
    """Send the oldest waiting events, no more than `limit` and `room` bytes of them; the number taken from the outbox.

    An event leaves the outbox only after its acknowledgement. A patient's next event is sent only after the one before
    was acknowledged, so no failure, and no second relay, can put them out of order on the topic.
    Raises what the sender raises; LeaseLost when another process leads. Either way the rest stays in the outbox.
    """
    messages, broken = encode_events(waiting_event_ids(limit))
    messages = messages if room is None else fit_messages(messages, room)
    receipts: list[Receipt] = []
    try:
        for wave in split_into_waves(messages):
            delivery = sender.deliver(wave, before=confirm_lease(fence).until)
            receipts += delivery.receipts
            broken += [
                _quarantined(r.message.event_id, r.message.patient_id, r.reason)
                for r in delivery.refusals
            ]
    finally:
        if receipts or broken:
            record_delivery(receipts, broken, fence=fence)
    return len(receipts) + len(broken)


def split_into_waves(messages: Sequence[Message]) -> Iterator[list[Message]]:
    """The messages in rounds, each with at most one of any patient, a patient's in their order."""
    waiting = list(messages)
    while waiting:
        wave: dict[str, Message] = {}
        later = [
            message
            for message in waiting
            if wave.setdefault(message.patient_id, message) is not message
        ]
        yield list(wave.values())
        waiting = later


def fit_messages(messages: Sequence[Message], room: int) -> list[Message]:
    """The first messages, those that take up so many bytes. Too large ones are for the broker to refuse."""
    sizes = accumulate(min(message.size, LARGEST_MESSAGE) for message in messages)
    return [message for message, size in zip(messages, sizes, strict=True) if size <= room]


def encode_events(event_ids: Sequence[int]) -> tuple[list[Message], list[QuarantinedEvent]]:
    """The messages in the order of the ids, and what cannot be one. One bad row does not spoil the others."""
    try:
        return _encode_all(event_ids)
    except (ValueError, TypeError, OverflowError):
        # Even reading may fail, on a date that Python has no value for. Find out which it is, one by one.
        results = [_encode_one(event_id) for event_id in event_ids]
    return [r for r in results if isinstance(r, Message)], [
        r for r in results if isinstance(r, QuarantinedEvent)
    ]


def record_delivery(
    receipts: Sequence[Receipt], broken: Sequence[QuarantinedEvent], *, fence: int
) -> None:
    """Take delivered and quarantined events out of the outbox, in one transaction that only the leader can commit."""
    sent = [receipt.message.event_id for receipt in receipts]
    with transaction.atomic():
        require_lease(fence)
        QuarantinedEvent.objects.filter(pk__in=sent).delete()
        QuarantinedEvent.objects.bulk_create(broken, ignore_conflicts=True)
        EventOutbox.objects.filter(pk__in=[*sent, *(event.event_id for event in broken)]).delete()
        record_receipts(receipts)
    for event in broken:
        log.error("event_quarantined", event_id=event.event_id, reason=event.reason)


def requeue_quarantined(event_ids: Iterable[int], *, by: User | None) -> int:
    """Put quarantined events back into the outbox; the number that went back."""
    with transaction.atomic():
        rows = QuarantinedEvent.objects.select_for_update().filter(pk__in=list(event_ids))
        ids = [row.event_id for row in rows]
        EventOutbox.objects.bulk_create(
            [EventOutbox(event_id=i) for i in ids], ignore_conflicts=True
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
    gone = [
        _quarantined(event_id, None, "NotInTheLog")
        for event_id in event_ids
        if event_id not in rows
    ]
    return messages, gone


def _encode_one(event_id: int) -> Message | QuarantinedEvent:
    try:
        messages, gone = _encode_all([event_id])
    except (ValueError, TypeError, OverflowError) as error:
        patient = (
            PatientEvent.objects.filter(pk=event_id).values_list("pgh_obj_id", flat=True).first()
        )
        return _quarantined(event_id, patient, type(error).__name__)
    return messages[0] if messages else gone[0]


def _quarantined(event_id: int, patient_id: UUID | str | None, reason: str) -> QuarantinedEvent:
    return QuarantinedEvent(event_id=event_id, patient_id=patient_id, reason=reason)
