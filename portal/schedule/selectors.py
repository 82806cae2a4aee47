"""Reads when the scheduler and the worker beat last."""

from datetime import datetime

from django.db.models import Max
from django.utils import timezone

from portal.schedule.models import WORKER, Beat, ScheduledTask


def beat_age_seconds() -> float | None:
    """Returns the seconds since the scheduler's last beat; None if it never ran."""
    last = ScheduledTask.objects.aggregate(last=Max("checked_at"))["last"]
    return _age_seconds(last)


def worker_beat_age_seconds() -> float | None:
    """Returns the seconds since a worker last said that it runs; None if none ever did."""
    return _age_seconds(Beat.objects.filter(name=WORKER).aggregate(last=Max("beat_at"))["last"])


def _age_seconds(last: datetime | None) -> float | None:
    return max(0.0, (timezone.now() - last).total_seconds()) if last else None
