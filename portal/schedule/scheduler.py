"""The scheduler: a thread of each worker that sends the recurring tasks when they are due.

It is not Celery's beat. That one keeps its times in a file, loses a task that the queue did not
take, and does not tell whether it lives. Without a worker nothing would run what is sent, so it
needs no process of its own.
"""

import threading

import structlog
from celery.signals import worker_ready
from django.db import Error as DatabaseError
from django.db import connection

from portal.jobs import Busy
from portal.schedule.services import send_due_tasks

log = structlog.get_logger("portal.schedule")

BEAT_SECONDS = 5.0  # Between two looks at the timetable.


@worker_ready.connect
def start_scheduler(**_: object) -> None:
    """Starts to look at the timetable beside the worker's pool; it ends with the process."""
    threading.Thread(target=_schedule_for_ever, name="scheduler", daemon=True).start()


def beat() -> None:
    """Sends what is due, unless another worker does so now. Waits for a database that is away."""
    try:
        send_due_tasks()
    except Busy:
        pass
    except DatabaseError as error:
        log.warning("schedule_waits_for_database", error=type(error).__name__)
        connection.close()


def _schedule_for_ever() -> None:
    pause = threading.Event()
    while True:
        beat()
        pause.wait(BEAT_SECONDS)
