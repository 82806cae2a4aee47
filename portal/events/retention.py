"""Retention: whether the topic's settings at the broker keep every event, which all rests on.

The figures are counted anew from the topic, and reconciliation proves by it that all was sent.
"""

from collections.abc import Mapping, Sequence

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from portal.events.leases import require_lease
from portal.events.models import TopicRetention

log = structlog.get_logger("portal.events")
FOR_EVER = "-1"
# The settings that decide, with the values that keep every event. Compaction keeps only the latest
# event of each patient.
KEEPING = {"cleanup.policy": "delete", "retention.ms": FOR_EVER, "retention.bytes": FOR_EVER}
HOW_TO_KEEP = (
    "Set cleanup.policy=delete, retention.ms=-1 and retention.bytes=-1 on the topic, "
    "with kafka-configs.sh --alter --entity-type topics."
)


def forgetting_settings(values: Mapping[str, str | None]) -> list[str]:
    """Returns the settings that make a topic forget, such as `retention.ms=604800000`."""
    return [
        f"{name}={values[name]}"
        for name, keeping in KEEPING.items()
        if values.get(name) not in (None, keeping)
    ]


def record_retention(forgetting: Sequence[str], *, fence: int) -> None:
    """Stores what makes the topic forget. Raises LeaseLost when another process leads."""
    topic, forgets_by = settings.KAFKA_TOPIC_PATIENT, ", ".join(forgetting)
    known = TopicRetention.objects.filter(topic=topic).values_list("forgets_by", flat=True).first()
    if known == forgets_by:
        return
    with transaction.atomic():
        require_lease(fence)
        TopicRetention.objects.update_or_create(
            topic=topic, defaults={"forgets_by": forgets_by, "looked_at": timezone.now()}
        )
    if forgetting:
        log.error("topic_forgets", topic=topic, settings=forgets_by)


def retention_problem() -> str:
    """Returns the settings that make the topic forget, as the relay saw them; empty for none."""
    rows = TopicRetention.objects.filter(topic=settings.KAFKA_TOPIC_PATIENT)
    return rows.values_list("forgets_by", flat=True).first() or ""
