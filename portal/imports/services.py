"""What may change an import: it is started, claimed by one process at a time, carried out and ended."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import structlog
from celery import current_app
from django.core.files.base import File
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from kombu.exceptions import OperationalError as QueueAway

from portal.accounts.models import User
from portal.errors import Conflict
from portal.imports.models import ImportJob, JobStatus, Outcome
from portal.imports.readers import Unreadable, open_patients
from portal.imports.storing import keep_file
from portal.imports.work.books import LEASE, JobBook, LeaseLost
from portal.imports.work.rehearsing import Rehearsal
from portal.imports.work.running import Told, run
from portal.imports.work.writing import Writing

log = structlog.get_logger("portal.imports")

CHUNK = 1024 * 1024
MOST_ATTEMPTS = 5
SOON = timedelta(seconds=10)
_COUNTS = [f"{outcome}_count" for outcome in Outcome.values]


def start_import(
    uploaded: File, *, by: User | None, dry_run: bool = False, allow_duplicates: bool = False
) -> ImportJob:
    """A waiting job for the worker. TooLarge over IMPORT_MAX_BYTES; Unprocessable, with what to do, if unreadable."""
    job = keep_file(uploaded.chunks(CHUNK), name=uploaded.name or "", by=by)
    job.dry_run, job.allow_duplicates = dry_run, allow_duplicates
    job.save()
    transaction.on_commit(lambda: nudge(job.pk))
    return job


def import_for_real(job_id: UUID, *, by: User | None) -> ImportJob:
    """A new job for the file of a finished dry run. Conflict while that is not done, or once its file is forgotten."""
    tried = ImportJob.objects.get(pk=job_id)
    if not tried.dry_run or tried.status != JobStatus.DONE:
        raise Conflict("Only a finished dry run can be imported.")
    try:
        with tried.path.open("rb") as file:
            return start_import(File(file, tried.original_name), by=by, allow_duplicates=tried.allow_duplicates)
    except FileNotFoundError as error:
        raise Conflict("The file is not kept any more. Upload it again.") from error


def import_now(path: Path, *, by: User | None, allow_duplicates: bool = False, tell: Told | None = None) -> ImportJob:
    """Import a file in this process, from our copy of it; should the process be killed, the worker goes on."""
    job = keep_file(_chunks(path), name=path.name, by=by)
    job.allow_duplicates = allow_duplicates
    with transaction.atomic():  # Nobody sees the job before it is ours.
        job.save()
        job = _claim(job.pk) or job
    return _work(job, tell) or job


def run_job(job_id: UUID) -> ImportJob | None:
    """Carry a job to its end, or on from its last batch; None if it is done or another process has it.

    After an unexpected error the job is free to be taken up again, and the error goes on to the caller.
    """
    job = _claim(job_id)
    return _work(job) if job else None


def nudge(job_id: UUID) -> None:
    """Tell the worker. A lost nudge does no harm: the beat looks for jobs that wait."""
    try:
        current_app.send_task("imports.run_import", args=[str(job_id)], expires=SOON.total_seconds())
    except (QueueAway, OSError) as error:
        log.warning("import waits for the beat", job=str(job_id), kind=type(error).__name__)


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk


@transaction.atomic
def _claim(job_id: UUID) -> ImportJob | None:
    """Make the job ours, if it is free. A dry run starts over, since its memory ended with its process."""
    job = ImportJob.objects.free().select_for_update(skip_locked=True).filter(pk=job_id).first()
    if job is None:
        return None
    if job.attempts >= MOST_ATTEMPTS:
        _end(job, JobStatus.FAILED, f"It was given up after {MOST_ATTEMPTS} starts without progress.")
        return None
    if job.dry_run:
        job.rejects.all().delete()
        job.last_row = job.bytes_done = 0
        for name in _COUNTS:
            setattr(job, name, 0)
    job.lease, job.leased_until = uuid4(), timezone.now() + LEASE
    job.status, job.started_at, job.attempts = JobStatus.RUNNING, timezone.now(), job.attempts + 1
    job.rows_before = job.rows_read
    job.save()
    return job


def _work(job: ImportJob, tell: Told | None = None) -> ImportJob | None:
    try:
        _carry_out(job, tell)
    except LeaseLost:
        log.warning("import was taken up by another process", job=str(job.pk))
        return None
    except Unreadable as error:
        return _end(job, JobStatus.FAILED, str(error))
    except FileNotFoundError:
        return _end(job, JobStatus.FAILED, "The file is not there any more. Import it again.")
    except KeyboardInterrupt:
        _end(job, JobStatus.FAILED, "Stopped by hand. What was imported stays; import the file again to go on.")
        raise
    except Exception:
        ImportJob.objects.filter(pk=job.pk, lease=job.lease).update(leased_until=timezone.now() + SOON)
        raise
    return _end(job, JobStatus.DONE)


def _carry_out(job: ImportJob, tell: Told | None) -> None:
    file, book = open_patients(job.path), JobBook(job.pk, job.lease)
    with closing(Rehearsal() if job.dry_run else Writing(job, job.by)) as patients:
        run(file, patients=patients, book=book, allow_duplicates=job.allow_duplicates, after=job.last_row, tell=tell)


def _end(job: ImportJob, status: JobStatus, message: str = "") -> ImportJob:
    """The job is over; only a dry run's file is kept, to be imported."""
    changes = {"status": status, "message": message, "finished_at": timezone.now(), "lease": None, "leased_until": None}
    if status == JobStatus.DONE:
        changes["bytes_done"] = F("size_bytes")
    ImportJob.objects.filter(pk=job.pk, lease=job.lease).update(**changes)
    if not job.dry_run:
        job.path.unlink(missing_ok=True)
    job.refresh_from_db()
    return job
