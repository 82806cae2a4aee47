"""Where each partition of the topic ended when we last knew: a topic that ends sooner has lost its events.

It is filled again out of the log: first the outbox gets every event back, in steps that a kill cannot spoil, then the
relay sends them in the order of their ids. What it holds from before the loss was noticed comes twice.
"""

from collections.abc import Mapping, Sequence

import structlog
from django.conf import settings
from django.db import connection, transaction

from portal.events.leases import require_lease
from portal.events.models import TopicEnd, TopicRefill
from portal.events.producer import Receipt

log = structlog.get_logger("portal.events")
REFILL_STEP = 20_000
_PUT_BACK = """
    WITH step AS (SELECT pgh_id FROM patients_patientevent WHERE pgh_id > %s ORDER BY pgh_id LIMIT %s),
         put AS (INSERT INTO patients_eventoutbox (event_id) SELECT pgh_id FROM step ON CONFLICT DO NOTHING)
    SELECT count(*), max(pgh_id) FROM step
"""


def detect_loss(ends: Mapping[int, int], *, fence: int) -> bool:
    """Begin to fill a topic again whose partitions end there, if that shows a loss; whether it does.

    A topic that is empty and new to us gets the whole log too. LeaseLost when another process leads.
    """
    known = _known()
    is_shorter = any(ends.get(partition, 0) < end for partition, end in known.items())
    if not is_shorter and (known or any(ends.values())):
        return False
    with transaction.atomic():
        require_lease(fence)
        _begin_refill(ends)
    return True


def record_receipts(receipts: Sequence[Receipt]) -> None:
    """Remember where these acknowledgements leave the topic; call it in the transaction that empties the outbox."""
    placed = [receipt for receipt in receipts if receipt.offset >= 0]
    ends: dict[int, int] = {}
    for receipt in placed:
        ends[receipt.partition] = max(ends.get(receipt.partition, 0), receipt.offset + 1)
    known = _known()
    if any(receipt.offset < known.get(receipt.partition, 0) for receipt in placed):
        _begin_refill(ends)
    elif ends:
        _remember(ends)


def refill_outbox(*, fence: int) -> bool:
    """Put the next step of the log back into the outbox; False when there is no topic to be filled again."""
    if not TopicRefill.objects.filter(topic=settings.KAFKA_TOPIC_PATIENT).exists():
        return False
    with transaction.atomic():
        require_lease(fence)
        here = TopicRefill.objects.get(topic=settings.KAFKA_TOPIC_PATIENT)
        with connection.cursor() as cursor:
            cursor.execute(_PUT_BACK, [here.up_to_event_id, REFILL_STEP])
            count, last = cursor.fetchone()
        if count:
            here.up_to_event_id = last
            here.save(update_fields=["up_to_event_id"])
        else:
            here.delete()
    return True


def _known() -> dict[int, int]:
    rows = TopicEnd.objects.filter(topic=settings.KAFKA_TOPIC_PATIENT)
    return dict(rows.values_list("partition", "next_offset"))


def _remember(ends: Mapping[int, int]) -> None:
    topic = settings.KAFKA_TOPIC_PATIENT
    rows = [
        TopicEnd(topic=topic, partition=partition, next_offset=end)
        for partition, end in ends.items()
    ]
    which = ["topic", "partition"]
    TopicEnd.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=which, update_fields=["next_offset"]
    )


def _begin_refill(ends: Mapping[int, int]) -> None:
    topic = settings.KAFKA_TOPIC_PATIENT
    was_known, _ = TopicEnd.objects.filter(topic=topic).delete()
    _remember(ends or {0: 0})  # To know nothing would mean to begin once more.
    TopicRefill.objects.update_or_create(topic=topic, defaults={"up_to_event_id": 0})
    log.warning(
        "topic_emptied" if was_known else "topic_is_new", topic=topic, events=sum(ends.values())
    )
