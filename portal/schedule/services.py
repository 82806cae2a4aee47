"""Sends the recurring tasks when they are due. What was sent is stored, so a restart skips none."""

from collections.abc import Callable, Mapping
from typing import Any

import structlog
from celery.schedules import maybe_schedule
from django.db.models.functions import Now
from django.utils import timezone
from kombu.exceptions import OperationalError as QueueAway

from portal.celery import app
from portal.jobs import advisory_lock
from portal.schedule.models import ScheduledTask
from portal.schedule.timetable import TIMETABLE

log = structlog.get_logger("portal.schedule")

LOCK = 20_261_132  # No other lock of the portal has this number.

Send = Callable[..., object]


def send_due_tasks(send: Send = app.send_task) -> list[str]:
    """Sends each task whose time has come, notes the beat, and returns the names of those sent.

    Raises Busy while another worker does so. A task that the queue did not take stays due. A worker
    that is killed between sending and storing sends a task twice, which does no harm: each task
    looks for work that waits.
    """
    with advisory_lock(LOCK):
        return _send_due_tasks(send)


def _send_due_tasks(send: Send) -> list[str]:
    timetable: Mapping[str, Any] = TIMETABLE
    _store_new_tasks(timetable)
    rows = ScheduledTask.objects.filter(name__in=timetable).order_by("name")
    due = [row.name for row in rows if _is_due(timetable[row.name], row)]
    sent = [name for name in due if _send(timetable[name], send)]
    ScheduledTask.objects.filter(name__in=sent).update(sent_at=timezone.now())
    ScheduledTask.objects.update(checked_at=timezone.now())
    return sent


def _store_new_tasks(timetable: Mapping[str, Any]) -> None:
    """Stores tasks that are new. Their time counts from now on."""
    known = set(ScheduledTask.objects.values_list("name", flat=True))
    rows = [ScheduledTask(name=name) for name in timetable if name not in known]
    ScheduledTask.objects.bulk_create(rows, ignore_conflicts=True)
    ScheduledTask.objects.exclude(name__in=timetable).delete()
    # A clock that was put back must not keep a task waiting until the earlier time comes again.
    ScheduledTask.objects.filter(sent_at__gt=Now()).update(sent_at=Now())


def _is_due(entry: Mapping[str, Any], row: ScheduledTask) -> bool:
    schedule = maybe_schedule(entry["schedule"], app=app)
    return schedule.is_due(timezone.localtime(row.sent_at))[0]


def _send(entry: Mapping[str, Any], send: Send) -> bool:
    try:
        send(entry["task"], retry=False, **entry.get("options", {}))
    except (QueueAway, OSError) as error:
        log.warning("task_waits_for_queue", task=entry["task"], error=type(error).__name__)
        return False
    return True
