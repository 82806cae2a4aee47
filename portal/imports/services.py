"""What may change an import: it is started, claimed by one process at a time, carried out, undone and ended."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import structlog
from celery import current_app
from django.core.files.base import File
from django.db import Error as DatabaseError
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from kombu.exceptions import OperationalError as QueueAway

from portal.accounts.models import User
from portal.errors import Conflict, NotFound, Unprocessable
from portal.imports.file_store import hand_over_to_unfinished, store_file
from portal.imports.models import (
    ENDED,
    LEFT_ALONE,
    Doubt,
    DuplicatePolicy,
    ImportJob,
    JobStatus,
    Outcome,
)
from portal.imports.pipeline.apply import ApplyRun
from portal.imports.pipeline.dry_run import DryRun
from portal.imports.pipeline.job_store import LEASE, JobProgressStore, LeaseLost
from portal.imports.pipeline.row_decisions import RowDecisions
from portal.imports.pipeline.runner import BatchListener, run
from portal.imports.pipeline.undo import UndoListener, undo
from portal.imports.readers import Unreadable, open_patients

log = structlog.get_logger("portal.imports")

CHUNK = 1024 * 1024
MAX_ATTEMPTS = 5
SOON = timedelta(seconds=10)
LOOK_AGAIN_SECONDS = 0.5
SLOWEST_READING = (
    2 * 1024 * 1024
)  # Bytes a second; ten times as much was measured on a machine at rest.
SLOWEST_UNPACKING = 50 * 1024  # The same of a workbook, which is packed.
_COUNTS = ["alike_count", *(f"{outcome}_count" for outcome in Outcome.values)]
LIKELY_MISSING = "Choose what becomes of the people who may be registered already."
_BY_HAND = {
    JobStatus.RUNNING: "Stopped by hand. What was imported stays; import the file again to go on.",
    JobStatus.UNDOING: "Its undoing was stopped by hand. Undo it again to go on.",
}


def start_import(
    uploaded: File,
    *,
    by: User | None,
    dry_run: bool = False,
    allow_duplicates: bool = False,
    likely: str = DuplicatePolicy.REGISTER,
    trial: ImportJob | None = None,
) -> ImportJob:
    """A waiting job for the worker. TooLarge over IMPORT_MAX_BYTES; Unprocessable, with what to do, if unreadable.

    It reads the columns as its trial did, if it has one, else by their names. `likely` is what becomes of new people
    who may be registered already and for whom nobody chose; empty holds them back.
    """
    name, mapping, encoding = (
        uploaded.name or "",
        trial.mapping if trial else (),
        trial.encoding if trial else "",
    )
    job = store_file(uploaded.chunks(CHUNK), name=name, by=by, mapping=mapping, encoding=encoding)
    job.dry_run, job.allow_duplicates, job.likely, job.trial = (
        dry_run,
        allow_duplicates,
        likely,
        trial,
    )
    job.save()
    transaction.on_commit(lambda: nudge(job.pk))
    return job


def start_dry_run(uploaded: File, *, by: User | None) -> ImportJob:
    """A trial for the worker, or for a table one that waits until a person has set its columns. Errors as above."""
    job = store_file(uploaded.chunks(CHUNK), name=uploaded.name or "", by=by, asks_for_columns=True)
    job.dry_run = True
    job.save()
    if job.status == JobStatus.WAITING:
        transaction.on_commit(lambda: nudge(job.pk))
    return job


@transaction.atomic
def apply_dry_run(job_id: UUID, *, by: User | None, likely: str = "") -> ImportJob:
    """The import of a finished trial's file: a new job, or the one that this trial has led to already.

    `likely` says what becomes of the people who may be registered already and for whom nobody chose: Unprocessable
    if there are some and it does not. Conflict while the trial is not done, or once its file is forgotten.
    """
    tried = ImportJob.objects.select_for_update().get(pk=job_id)
    if not tried.dry_run or tried.status != JobStatus.DONE:
        raise Conflict("Only a finished dry run can be imported.")
    if begun := tried.run:
        return begun
    if (
        likely not in DuplicatePolicy.values
        and tried.questions.filter(doubt=Doubt.ALIKE, choice="").exists()
    ):
        raise Unprocessable(LIKELY_MISSING)
    try:
        with tried.path.open("rb") as file:
            uploaded = File(file, tried.original_name)
            allow = tried.allow_duplicates
            return start_import(uploaded, by=by, allow_duplicates=allow, likely=likely, trial=tried)
    except FileNotFoundError as error:
        raise Conflict("The file is not kept any more. Upload it again.") from error


def import_now(
    path: Path,
    *,
    by: User | None,
    allow_duplicates: bool = False,
    likely: str = DuplicatePolicy.REGISTER,
    mapping: Sequence[str] = (),
    encoding: str = "",
    tell: BatchListener | None = None,
    goes_on: Callable[[ImportJob], None] | None = None,
) -> ImportJob:
    """Import a file from our copy of it and answer the ended job; should this process be killed, the worker goes on.

    An import of the same file by the same user that has not ended, as a killed process leaves it, is taken up instead
    of a new one; `goes_on` hears of it. While another process works on that, this one waits.
    """
    job = store_file(_chunks(path), name=path.name, by=by, mapping=mapping, encoding=encoding)
    job.allow_duplicates, job.likely = allow_duplicates, likely
    if found := hand_over_to_unfinished(job):
        if goes_on:
            goes_on(found)
        return _see_through(found.pk, None, tell)
    with transaction.atomic():  # Nobody sees the job before it is ours.
        job.save()
        mine = _claim(job.pk)
    return _see_through(job.pk, mine, tell)


def start_undo(job_id: UUID, *, by: User | None) -> ImportJob:
    """Have the worker undo an import that has ended: see `undo_import`."""
    with transaction.atomic():
        job = _begin_undo(job_id, by)
        transaction.on_commit(lambda: nudge(job.pk))
    return job


def undo_import(job_id: UUID, *, by: User | None, tell: UndoListener | None = None) -> ImportJob:
    """Take an import back and answer the undone job; may be killed at any moment and called again.

    Patients whom it made are archived, those whom it changed are what they were before. Whoever was changed since is
    left alone, and looked at again when this is called again. NotFound; Conflict while the import runs, and for a
    trial.
    """
    with transaction.atomic():
        _begin_undo(job_id, by)
        mine = _claim(job_id)
    return _see_through(job_id, mine, tell)


def run_job(job_id: UUID) -> ImportJob | None:
    """Carry a job to its end, or on from its last batch; None if it is done or another process has it.

    After an unexpected error the job is free to be taken up again, and the error goes on to the caller.
    """
    job = _claim(job_id)
    return _work(job) if job else None


def nudge(job_id: UUID) -> None:
    """Tell the worker. A lost nudge does no harm: the beat looks for jobs that wait."""
    try:
        current_app.send_task(
            "imports.run_import", args=[str(job_id)], expires=SOON.total_seconds()
        )
    except (QueueAway, OSError) as error:
        log.warning("import waits for the beat", job=str(job_id), kind=type(error).__name__)


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk


def _begin_undo(job_id: UUID, by: User | None) -> ImportJob:
    job = ImportJob.objects.select_for_update().filter(pk=job_id).first()
    if job is None:
        raise NotFound("There is no import with this id.")
    if job.dry_run:
        raise Conflict("This was a trial: it wrote nothing, so there is nothing to undo.")
    if job.status in (JobStatus.WAITING, JobStatus.RUNNING):
        raise Conflict("This import still runs. Wait until it has ended, then undo it.")
    same_file = ImportJob.objects.filter(sha256=job.sha256, dry_run=False).exclude(pk=job.pk)
    if same_file.exclude(status__in=ENDED).exists():
        raise Conflict(
            "The same file is being imported again. Wait until that has ended, then undo both."
        )
    if job.status != JobStatus.UNDOING:
        job.imported_rows.filter(undo__in=LEFT_ALONE).update(undo="")
        job.status, job.message, job.attempts = JobStatus.UNDOING, "", 0
        job.undo_by, job.undo_left_count = by, 0
        job.save()
    return job


def _see_through(
    job_id: UUID, mine: ImportJob | None, tell: Callable[..., None] | None
) -> ImportJob:
    """Work on the job until it has ended; while another process has it, wait for that one, or for its lease to end."""
    while True:
        if mine:
            _work(mine, tell)
        job = ImportJob.objects.get(pk=job_id)
        if job.is_ended:
            return job
        mine = _claim(job_id)
        if not mine:
            time.sleep(LOOK_AGAIN_SECONDS)


@transaction.atomic
def _claim(job_id: UUID) -> ImportJob | None:
    """Make the job ours, if it is free. A dry run starts over, since its memory ended with its process."""
    job = ImportJob.objects.free().select_for_update(skip_locked=True).filter(pk=job_id).first()
    if job is None:
        return None
    if job.attempts >= MAX_ATTEMPTS:
        _end(
            job, JobStatus.FAILED, f"It was given up after {MAX_ATTEMPTS} starts without progress."
        )
        return None
    if job.dry_run:
        job.rejects.all().delete()
        job.questions.all().delete()
        job.last_row = job.bytes_done = 0
        for name in _COUNTS:
            setattr(job, name, 0)
    pace = SLOWEST_UNPACKING if job.file_format == "xlsx" else SLOWEST_READING
    reading = timedelta(seconds=job.bytes_done / pace)  # Over what is done, before the first batch.
    job.lease, job.leased_until, job.attempts = (
        uuid4(),
        timezone.now() + LEASE + reading,
        job.attempts + 1,
    )
    if job.status != JobStatus.UNDOING:
        job.status, job.started_at, job.rows_before = (
            JobStatus.RUNNING,
            timezone.now(),
            job.rows_read,
        )
    job.save()
    return job


def _work(job: ImportJob, tell: Callable[..., None] | None = None) -> ImportJob | None:
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
        _end(job, JobStatus.FAILED, _BY_HAND[JobStatus(job.status)])
        raise
    except Exception:
        with suppress(DatabaseError):  # It may be what is away; then the lease runs out by itself.
            ImportJob.objects.filter(pk=job.pk, lease=job.lease).update(
                leased_until=timezone.now() + SOON
            )
        raise
    return _end(job, JobStatus.UNDONE if job.status == JobStatus.UNDOING else JobStatus.DONE)


def _carry_out(job: ImportJob, tell: Callable[..., None] | None) -> None:
    book = JobProgressStore(job.pk, job.lease, asks=job.dry_run)
    if job.status == JobStatus.UNDOING:
        undo(job, book, tell)
        return
    file = open_patients(job.path, job.mapping, encoding=job.encoding)
    holds_back = not job.dry_run and job.likely != DuplicatePolicy.REGISTER
    rules: dict[str, Any] = {"allow_duplicates": job.allow_duplicates, "holds_back": holds_back}
    if job.trial_id:
        rules["settle"] = RowDecisions(job.trial_id)
    with closing(DryRun() if job.dry_run else ApplyRun(job, job.by)) as patients:
        run(file, patients=patients, book=book, after=job.last_row, tell=tell, **rules)


def _end(job: ImportJob, status: JobStatus, message: str = "") -> ImportJob | None:
    """The job is over, unless it is not ours any more. The file of a trial is kept, and that of a failed one."""
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
