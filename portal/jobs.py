"""Background jobs: a row in PostgreSQL says what is to be done; the queue only wakes the worker.

A job is a row that a page or a timer writes. The worker carries out every row that has not ended,
one process at a time. Since only the holder of the lock works, it knows that a row which was
started and has not ended belongs to a process that was killed.

    LOCK = 20_261_128  # No other lock of the portal has this number.

    def ask_for_scan(*, by: User | None) -> Scan:
        scan = Scan.objects.filter(ended_at=None).first() or Scan.objects.create(by=by)
        nudge("duplicates.run_scans")
        return scan

    def scan_now(*, by: User | None, on_step: StepListener | None = None) -> Scan:
        with advisory_lock(LOCK):  # Busy, if another process scans.
            return _run(Scan(by=by), on_step)

    def run_waiting() -> int:  # Called by the task, which the worker sends itself, too.
        waiting = Scan.objects.filter(ended_at=None).order_by("pk")
        return run_jobs(waiting, lock=advisory_lock(LOCK), run=lambda scan, _: _run(scan))

    def _run(scan: Scan, on_step: StepListener | None = None) -> Scan:
        scan.started_at = timezone.now()
        scan.save()
        scan.figures = find_pairs(step_recorder(scan, on_step))
        ...
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TypeVar

import structlog
from django.db import Error, connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model, QuerySet

log = structlog.get_logger("portal.jobs")

NUDGE_SECONDS = 15  # An older nudge is dropped: the worker has looked by itself meanwhile.

StepListener = Callable[[str], None]  # Takes the name of the step that begins.
Job = TypeVar("Job", bound=Model)
Held = TypeVar("Held")


class Busy(Exception):
    """Another process holds the lock."""


@contextmanager
def advisory_lock(number: int, *, session: BaseDatabaseWrapper | None = None) -> Iterator[None]:
    """Holds the lock of this number in a database session, by default the thread's own. Busy.

    The lock ends with the session, so a killed process does not keep it.
    """
    session = session or connection
    with session.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [number])
        [is_ours] = cursor.fetchone()
    if not is_ours:
        raise Busy
    try:
        yield
    finally:
        try:
            with session.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [number])
        except Error:  # The session is broken or away; closing it frees the lock.
            session.close()


def nudge(task: str, *args: str) -> None:
    """Makes the worker run a task as soon as the transaction has committed.

    A lost nudge does no harm, because the worker looks for waiting jobs; so it is sent once, and a
    queue that is away is only logged.
    """
    transaction.on_commit(lambda: _send(task, *args))


def _send(task: str, *args: str) -> None:
    # Celery takes 8 MB, and most processes never send anything.
    from kombu.exceptions import OperationalError as QueueAway

    from portal.celery import app

    try:
        app.send_task(task, args=args, expires=NUDGE_SECONDS, retry=False)
    except (QueueAway, OSError) as error:
        log.warning("job_waits_for_worker", task=task, error=type(error).__name__)


def run_jobs(
    waiting: QuerySet[Job],
    *,
    lock: AbstractContextManager[Held],
    run: Callable[[Job, Held], object],
) -> int:
    """Runs every waiting job, the first of `waiting` first, and returns how many it ran.

    `run` takes the job and what `lock` gives, and has to end the job even when it fails. Returns 0
    while another process holds the lock.
    """
    count = 0
    if not waiting.exists():
        return count
    try:
        with lock as held:
            while job := waiting.first():
                run(job, held)
                count += 1
    except Busy:
        pass
    return count


def step_recorder(job: Model, on_step: StepListener | None = None) -> StepListener:
    """Returns a function that writes a step's name to the job's column `step`, and passes it on.

    The step is committed at once, so that a page which follows the job shows it.
    """

    def record(step: str) -> None:
        type(job)._default_manager.filter(pk=job.pk).update(step=step)
        if on_step:
            on_step(step)

    return record
