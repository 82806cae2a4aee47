"""The scheduler: a process that sends the recurring tasks, and notes in the database that it runs.

It is not Celery's beat. That one keeps its times in a file, loses a task that the queue did not
take, and does not tell whether it lives.
"""

import threading

import structlog
from django.db import Error as DatabaseError
from django.db import connection

from portal.schedule.services import send_due_tasks

log = structlog.get_logger("portal.schedule")

BEAT_SECONDS = 5.0  # Between two looks at the timetable.


class Scheduler:
    """Looks at the timetable every BEAT_SECONDS, until `stopping` is set."""

    def __init__(self) -> None:
        self.stopping = threading.Event()

    def run(self) -> None:
        while not self.stopping.is_set():
            self.beat()
            self.stopping.wait(BEAT_SECONDS)

    def beat(self) -> None:
        """Sends what is due. A database that is away is waited for."""
        try:
            send_due_tasks()
        except DatabaseError as error:
            log.warning("schedule_waits_for_database", error=type(error).__name__)
            connection.close()
