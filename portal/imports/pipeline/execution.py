"""Carries out a job: one process claims it, works on it while it holds the lease, and ends it."""

import time
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import structlog
from django.db import Error as DatabaseError
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from portal.disk import means_full_disk
from portal.imports.matching.rules import ImportOptions, keep_decision
from portal.imports.models import DuplicatePolicy, ImportJob, JobStatus, Outcome
from portal.imports.pipeline.apply import ApplyRun
from portal.imports.pipeline.dry_run import DryRun
from portal.imports.pipeline.first_rows import first_rows
from portal.imports.pipeline.job_store import LEASE, JobProgressStore, LeaseLost
from portal.imports.pipeline.row_decisions import RowDecisions
from portal.imports.pipeline.runner import run
from portal.imports.pipeline.undo import undo
from portal.imports.readers import Unreadable, open_patients
from portal.jobs import nudge

log = structlog.get_logger("portal.imports")

MAX_ATTEMPTS = 5  # Starts without progress before a job fails.
RETRY_DELAY = timedelta(seconds=10)  # How long a job rests after an unexpected error.
POLL_SECONDS = 0.5  # Between two looks at a job that another process works on.
# Bytes a second that reading over finished rows takes at worst. Ten times as much was measured on
# a machine at rest. A workbook is packed, so that its bytes hold more.
SLOWEST_READ = 2 * 1024 * 1024
SLOWEST_UNPACK = 50 * 1024
_COUNTS = ["alike_count", *(f"{outcome}_count" for outcome in Outcome.values)]
_INTERRUPTED = {
    JobStatus.RUNNING: "Stopped by hand. What was imported stays; import the file again to go on.",
    JobStatus.UNDOING: "Its undoing was stopped by hand. Undo it again to go on.",
}

Listener = Callable[..., None]  # A BatchListener, or an UndoListener.


def wake_worker(job_id: UUID) -> None:
    """Makes the worker run this job as soon as the transaction has committed."""
    nudge("imports.run_import", str(job_id))


def finish_job(
    job_id: UUID, claimed: ImportJob | None, on_batch: Listener | None = None
) -> ImportJob:
    """Works on the job until it has ended, and returns it.

    While another process has the job, this one waits for that one, or for its lease to end.
    """
    while True:
        if claimed:
            run_claimed_job(claimed, on_batch)
        job = ImportJob.objects.get(pk=job_id)
        if job.is_ended:
            return job
        claimed = claim_job(job_id)
        if not claimed:
            time.sleep(POLL_SECONDS)


@transaction.atomic
def claim_job(job_id: UUID) -> ImportJob | None:
    """Makes the job belong to this process, if it is free.

    A dry run starts over, since its store ended with its process.
    """
    job = ImportJob.objects.free().select_for_update(skip_locked=True).filter(pk=job_id).first()
    if job is None:
        return None
    if job.attempts >= MAX_ATTEMPTS:
        message = f"It was given up after {MAX_ATTEMPTS} starts without progress."
        _end(job, JobStatus.FAILED, message)
        return None
    if job.dry_run:
        _reset(job)
    slowest = SLOWEST_UNPACK if job.file_format == "xlsx" else SLOWEST_READ
    # Until the first batch begins: a table is read once as a whole before its first row.
    reading = timedelta(seconds=(job.size_bytes + job.bytes_done) / slowest)
    job.lease = uuid4()
    job.leased_until = timezone.now() + LEASE + reading
    job.attempts += 1
    if job.status != JobStatus.UNDOING:
        job.status = JobStatus.RUNNING
        job.started_at = timezone.now()
        job.rows_before = job.rows_read
    job.save()
    return job


def _reset(job: ImportJob) -> None:
    """Forgets what the job has done so far."""
    job.rejects.all().delete()
    job.questions.all().delete()
    job.remarks.all().delete()
    job.last_row = job.bytes_done = 0
    job.first_rows, job.parts_left_out = [], {}
    for name in _COUNTS:
        setattr(job, name, 0)


def run_claimed_job(job: ImportJob, on_batch: Listener | None = None) -> ImportJob | None:
    """Works on a claimed job and ends it; None if another process has claimed it meanwhile."""
    try:
        _run_batches(job, on_batch)
    except LeaseLost:
        log.warning("import_claimed_by_another_process", job=str(job.pk))
        return None
    except Unreadable as error:
        return _end(job, JobStatus.FAILED, str(error))
    except FileNotFoundError:
        return _end(job, JobStatus.FAILED, "The file is not there any more. Import it again.")
    except KeyboardInterrupt:
        _end(job, JobStatus.FAILED, _INTERRUPTED[JobStatus(job.status)])
        raise
    except Exception as error:
        with suppress(DatabaseError):  # If the database is away, the lease runs out by itself.
            leased = ImportJob.objects.filter(pk=job.pk, lease=job.lease)
            changes: dict[str, Any] = {"leased_until": timezone.now() + RETRY_DELAY}
            if means_full_disk(error):  # That is no fault of the file: it waits for room.
                changes["attempts"] = F("attempts") - 1
            leased.update(**changes)
        raise
    return _end(job, JobStatus.UNDONE if job.status == JobStatus.UNDOING else JobStatus.DONE)


def _run_batches(job: ImportJob, on_batch: Listener | None) -> None:
    progress = JobProgressStore(job.pk, job.lease, keeps_questions=job.dry_run)
    if job.status == JobStatus.UNDOING:
        undo(job, progress, on_batch)
        return
    file = open_patients(job.path, job.mapping, **job.reading)
    if job.dry_run and not job.first_rows:
        job.first_rows = first_rows(file)
        ImportJob.objects.filter(pk=job.pk).update(first_rows=job.first_rows)
    options = ImportOptions(
        allow_duplicates=job.allow_duplicates,
        holds_back=not job.dry_run and job.likely != DuplicatePolicy.REGISTER,
        decide_row=RowDecisions(job.trial_id) if job.trial_id else keep_decision,
    )
    with closing(DryRun() if job.dry_run else ApplyRun(job, job.by)) as patients:
        run(
            file,
            patients=patients,
            progress=progress,
            options=options,
            after=job.last_row,
            on_batch=on_batch,
        )


def _end(job: ImportJob, status: JobStatus, message: str = "") -> ImportJob | None:
    """Ends the job, unless it belongs to another process now.

    The file of a dry run is kept, and that of a job that failed.
    """
    changes: dict[str, Any] = {
        "status": status,
        "message": message,
        "lease": None,
        "leased_until": None,
    }
    changes["undone_at" if job.status == JobStatus.UNDOING else "finished_at"] = timezone.now()
    if status == JobStatus.DONE:
        changes["bytes_done"] = F("size_bytes")
    if not ImportJob.objects.filter(pk=job.pk, lease=job.lease).update(**changes):
        return None
    if not job.dry_run and status != JobStatus.FAILED:
        job.path.unlink(missing_ok=True)
    job.refresh_from_db()
    return job
