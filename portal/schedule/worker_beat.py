"""The worker's beat: it says in the database that it runs, so that others see when none does."""

import threading

import structlog
from celery.signals import worker_ready
from django.db import Error as DatabaseError
from django.db import connection
from django.utils import timezone

from portal.schedule.models import WORKER, Beat

log = structlog.get_logger("portal.schedule")

BEAT_SECONDS = 5.0  # Between two beats.


@worker_ready.connect
def start_worker_beat(**_: object) -> None:
    """Starts to beat beside the worker's pool; it ends with the process."""
    threading.Thread(target=_beat_for_ever, name="worker-beat", daemon=True).start()


def beat() -> None:
    """Says that a worker runs. Of several workers the last one counts."""
    Beat.objects.update_or_create(name=WORKER, defaults={"beat_at": timezone.now()})


def _beat_for_ever() -> None:
    pause = threading.Event()
    while True:
        try:
            beat()
        except DatabaseError as error:
            log.warning("worker_beat_waits_for_database", error=type(error).__name__)
            connection.close()
        pause.wait(BEAT_SECONDS)
