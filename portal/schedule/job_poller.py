"""Polls for waiting jobs inside the worker, which needs neither a nudge nor the scheduler."""

import threading
from typing import Any

import structlog
from celery import Celery
from celery.signals import worker_ready
from kombu.exceptions import OperationalError as QueueAway

from portal.schedule.timetable import WAITING_JOB_TASKS

log = structlog.get_logger("portal.schedule")

POLL_SECONDS = 15.0  # Between two polls; one that was not begun by the next is dropped.


@worker_ready.connect
def start_job_poller(sender: Any, **_: object) -> None:
    """Starts the poller beside the worker's pool; it ends with the process."""
    app = sender.app
    threading.Thread(target=_poll_for_ever, args=(app,), name="job-poller", daemon=True).start()


def poll_waiting_jobs(app: Celery) -> None:
    """Puts the tasks that look for waiting jobs into the queue."""
    for task in WAITING_JOB_TASKS:
        app.send_task(task, expires=POLL_SECONDS, retry=False)


def _poll_for_ever(app: Celery) -> None:
    pause = threading.Event()
    while True:
        try:
            poll_waiting_jobs(app)
        except (QueueAway, OSError) as error:
            log.warning("job_poller_waits_for_queue", error=type(error).__name__)
        pause.wait(POLL_SECONDS)
