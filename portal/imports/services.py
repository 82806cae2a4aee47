"""The services of imports: start an import or a dry run, apply a dry run, undo an import."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from uuid import UUID

from django.core.files.base import File
from django.db import transaction

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
)
from portal.imports.pipeline.execution import (
    claim_job,
    finish_job,
    run_claimed_job,
    wake_worker,
)
from portal.imports.pipeline.runner import BatchListener
from portal.imports.pipeline.undo import UndoListener

CHUNK = 1024 * 1024  # Bytes of a file that are copied at once.
POLICY_MISSING = "Choose what becomes of the people who may be registered already."


def start_import(
    uploaded: File,
    *,
    by: User | None,
    dry_run: bool = False,
    allow_duplicates: bool = False,
    duplicate_policy: str = DuplicatePolicy.REGISTER,
    dry_run_job: ImportJob | None = None,
) -> ImportJob:
    """Returns a waiting job for the worker.

    The columns are read as those of its dry run `dry_run_job`, if it has one, else by their names.
    `duplicate_policy` is what becomes of new people who may be registered already and have no row
    decision; empty holds them back. TooLarge over IMPORT_MAX_BYTES; Unprocessable, with what to do,
    if the file is unreadable.
    """
    job = store_file(
        uploaded.chunks(CHUNK),
        name=uploaded.name or "",
        by=by,
        mapping=dry_run_job.mapping if dry_run_job else (),
        **(dry_run_job.reading if dry_run_job else {}),
    )
    job.dry_run, job.allow_duplicates = dry_run, allow_duplicates
    job.likely, job.trial = duplicate_policy, dry_run_job
    job.save()
    wake_worker(job.pk)
    return job


def start_dry_run(uploaded: File, *, by: User | None) -> ImportJob:
    """Returns a dry run for the worker; that of a table waits until its columns are set.

    Errors as for `start_import`.
    """
    chunks = uploaded.chunks(CHUNK)
    job = store_file(chunks, name=uploaded.name or "", by=by, asks_for_columns=True)
    job.dry_run = True
    job.save()
    if job.status == JobStatus.WAITING:
        wake_worker(job.pk)
    return job


@transaction.atomic
def apply_dry_run(job_id: UUID, *, by: User | None, duplicate_policy: str = "") -> ImportJob:
    """Returns the import of a finished dry run's file: a new job, or the one that there is already.

    `duplicate_policy` says what becomes of people who may be registered already and have no row
    decision: Unprocessable if there are any and it is empty. Conflict while the dry run is not
    done, or once its file is deleted.
    """
    dry_run = ImportJob.objects.select_for_update().get(pk=job_id)
    if not dry_run.dry_run or dry_run.status != JobStatus.DONE:
        raise Conflict("Only a finished dry run can be imported.")
    if applied := dry_run.applied_job:
        return applied
    undecided = dry_run.questions.filter(doubt=Doubt.POSSIBLE_DUPLICATE, choice="")
    if duplicate_policy not in DuplicatePolicy.values and undecided.exists():
        raise Unprocessable(POLICY_MISSING)
    try:
        with dry_run.path.open("rb") as file:
            return start_import(
                File(file, dry_run.original_name),
                by=by,
                allow_duplicates=dry_run.allow_duplicates,
                duplicate_policy=duplicate_policy,
                dry_run_job=dry_run,
            )
    except FileNotFoundError as error:
        raise Conflict("The file is not kept any more. Upload it again.") from error


def import_now(
    path: Path,
    *,
    by: User | None,
    allow_duplicates: bool = False,
    duplicate_policy: str = DuplicatePolicy.REGISTER,
    mapping: Sequence[str] = (),
    encoding: str = "",
    values: Mapping[str, Mapping[str, str]] | None = None,
    date_order: str = "",
    on_batch: BatchListener | None = None,
    on_resume: Callable[[ImportJob], None] | None = None,
) -> ImportJob:
    """Imports a file in this process, from a copy of it, and returns the ended job.

    If this process is killed, the worker goes on. An import of the same file by the same user that
    has not ended is resumed instead of a new one, and `on_resume` gets it. While another process
    works on that, this one waits.
    """
    job = store_file(
        _chunks(path),
        name=path.name,
        by=by,
        mapping=mapping,
        encoding=encoding,
        values=values,
        date_order=date_order,
    )
    job.allow_duplicates, job.likely = allow_duplicates, duplicate_policy
    if unfinished := hand_over_to_unfinished(job):
        if on_resume:
            on_resume(unfinished)
        return finish_job(unfinished.pk, None, on_batch)
    with transaction.atomic():  # No other process sees the job before this one has claimed it.
        job.save()
        claimed = claim_job(job.pk)
    return finish_job(job.pk, claimed, on_batch)


def start_undo(job_id: UUID, *, by: User | None) -> ImportJob:
    """Makes the worker undo an import that has ended: see `undo_import`."""
    with transaction.atomic():
        job = _begin_undo(job_id, by)
        wake_worker(job.pk)
    return job


def undo_import(
    job_id: UUID, *, by: User | None, on_batch: UndoListener | None = None
) -> ImportJob:
    """Undoes an import in this process, and returns the undone job.

    Patients whom it made are archived, those whom it changed are what they were before. A patient
    changed since is left alone, and looked at again when this is called again. The process may be
    killed at any moment. NotFound; Conflict while the import runs, and for a dry run.
    """
    with transaction.atomic():
        _begin_undo(job_id, by)
        claimed = claim_job(job_id)
    return finish_job(job_id, claimed, on_batch)


def run_job(job_id: UUID) -> ImportJob | None:
    """Carries a job to its end, or on from its last batch.

    Returns None if the job has ended or another process has it. After an unexpected error the job
    can be claimed again, and the error is raised.
    """
    job = claim_job(job_id)
    return run_claimed_job(job) if job else None


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
