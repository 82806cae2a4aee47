"""Reads when the scheduler beat last."""

from django.db.models import Max
from django.utils import timezone

from portal.schedule.models import ScheduledTask


def beat_age_seconds() -> float | None:
    """Returns the seconds since the scheduler's last beat; None if it never ran."""
    last = ScheduledTask.objects.aggregate(last=Max("checked_at"))["last"]
    return max(0.0, (timezone.now() - last).total_seconds()) if last else None
