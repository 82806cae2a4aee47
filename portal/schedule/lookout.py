"""The worker's own look for waiting jobs. It needs neither a nudge nor the scheduler."""

import threading
from typing import Any

import structlog
from celery import Celery
from celery.signals import worker_ready
from django.conf import settings
from kombu.exceptions import OperationalError as QueueAway

log = structlog.get_logger("portal.schedule")

LOOK_SECONDS = 15.0  # Between two looks; a look that was not begun by the next one is dropped.


@worker_ready.connect
def start_lookout(sender: Any, **_: object) -> None:
    """Starts the look-out beside the worker's pool; it ends with the process."""
    app = sender.app
    threading.Thread(target=_look_for_ever, args=(app,), name="lookout", daemon=True).start()


def look_for_waiting_jobs(app: Celery) -> None:
    """Puts the tasks that look for waiting jobs into the queue."""
    for task in settings.WAITING_JOB_TASKS:
        app.send_task(task, expires=LOOK_SECONDS, retry=False)


def _look_for_ever(app: Celery) -> None:
    pause = threading.Event()
    while True:
        try:
            look_for_waiting_jobs(app)
        except (QueueAway, OSError) as error:
            log.warning("lookout_waits_for_queue", error=type(error).__name__)
        pause.wait(LOOK_SECONDS)
