"""Topic loss detection: a topic that ends before its last known end has lost its events.

It is filled again out of the log. First the outbox gets every event back, in steps that a kill
cannot spoil; then the relay sends them in the order of their ids. What the topic holds from before
the loss was noticed comes twice.
"""

from collections.abc import Mapping, Sequence

import structlog
from django.conf import settings
from django.db import connection, transaction

from portal.events.deliveries import Receipt
from portal.events.leases import require_lease
from portal.events.models import TopicEnd, TopicRefill

log = structlog.get_logger("portal.events")
REFILL_STEP = 20_000  # Events that go back into the outbox in one transaction.
_IS_REFILLING = "SELECT FROM events_topicrefill WHERE topic = %s"
_KNOWN_ENDS = "SELECT partition, next_offset FROM events_topicend WHERE topic = %s"
_REMEMBER_ENDS = """
    INSERT INTO events_topicend (topic, partition, next_offset)
    SELECT %s, * FROM unnest(%s::integer[], %s::bigint[])
    ON CONFLICT (topic, partition) DO UPDATE SET next_offset = EXCLUDED.next_offset
"""
_PUT_BACK = """
    WITH step AS (
            SELECT pgh_id FROM patients_patientevent WHERE pgh_id > %s ORDER BY pgh_id LIMIT %s),
        put AS (
            INSERT INTO patients_eventoutbox (event_id)
            SELECT pgh_id FROM step ON CONFLICT DO NOTHING)
    SELECT count(*), max(pgh_id) FROM step
"""


def detect_loss(ends: Mapping[int, int], *, fence: int) -> bool:
    """Compares the partitions' ends with the known ones; on a loss it begins a refill.

    Returns whether a refill began. A topic that is empty and not known gets the whole log too.
    Raises LeaseLost when another process leads.
    """
    known = _known_ends()
    is_shorter = any(ends.get(partition, 0) < end for partition, end in known.items())
    if not is_shorter and (known or any(ends.values())):
        return False
    with transaction.atomic():
        require_lease(fence)
        _begin_refill(ends)
    return True


def record_receipts(receipts: Sequence[Receipt]) -> None:
    """Remembers the ends that follow from these acknowledgements; on a loss it begins a refill.

    Call it in the transaction that empties the outbox.
    """
    placed = [receipt for receipt in receipts if receipt.offset >= 0]
    ends: dict[int, int] = {}
    for receipt in placed:
        ends[receipt.partition] = max(ends.get(receipt.partition, 0), receipt.offset + 1)
    known = _known_ends()
    if any(receipt.offset < known.get(receipt.partition, 0) for receipt in placed):
        _begin_refill(ends)
    elif ends:
        _remember_ends(ends)


def refill_outbox(*, fence: int) -> bool:
    """Puts the next step of the log back into the outbox; returns False when no refill runs."""
    topic = settings.KAFKA_TOPIC_PATIENT
    with connection.cursor() as cursor:
        cursor.execute(_IS_REFILLING, [topic])
        if not cursor.rowcount:
            return False
    with transaction.atomic():
        require_lease(fence)
        refill = TopicRefill.objects.get(topic=topic)
        with connection.cursor() as cursor:
            cursor.execute(_PUT_BACK, [refill.up_to_event_id, REFILL_STEP])
            count, last = cursor.fetchone()
        if count:
            refill.up_to_event_id = last
            refill.save(update_fields=["up_to_event_id"])
        else:
            refill.delete()
    return True


def _known_ends() -> dict[int, int]:
    with connection.cursor() as cursor:
        cursor.execute(_KNOWN_ENDS, [settings.KAFKA_TOPIC_PATIENT])
        return dict(cursor.fetchall())


def _remember_ends(ends: Mapping[int, int]) -> None:
    values = [settings.KAFKA_TOPIC_PATIENT, list(ends), list(ends.values())]
    with connection.cursor() as cursor:
        cursor.execute(_REMEMBER_ENDS, values)


def _begin_refill(ends: Mapping[int, int]) -> None:
    topic = settings.KAFKA_TOPIC_PATIENT
    deleted_count, _ = TopicEnd.objects.filter(topic=topic).delete()
    _remember_ends(ends or {0: 0})  # With no known end the next look would begin once more.
    TopicRefill.objects.update_or_create(topic=topic, defaults={"up_to_event_id": 0})
    events = sum(ends.values())
    if deleted_count:
        log.warning("topic_emptied", topic=topic, events=events)
    else:
        log.info("topic_is_new", topic=topic, events=events)
