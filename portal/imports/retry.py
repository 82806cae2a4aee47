"""Makes the worker run a failed import again."""

from uuid import UUID

import structlog
from django.db import transaction

from portal.accounts.models import User
from portal.errors import Conflict, NotFound
from portal.imports.models import ImportJob, JobStatus
from portal.imports.pipeline.execution import wake_worker
from portal.imports.services import start_undo

log = structlog.get_logger("portal.imports")


def run_again(job_id: UUID, *, by: User | None) -> ImportJob:
    """Resumes a failed job, or its undo, from its last batch; wakes the worker for a waiting one.

    NotFound; Conflict where there is nothing to run again, or the file is deleted.
    """
    with transaction.atomic():
        job = ImportJob.objects.select_for_update().filter(pk=job_id).first()
        if job is None:
            raise NotFound("There is no import with this id.")
        if job.status == JobStatus.FAILED and job.undo_by:
            return start_undo(job.pk, by=by)
        if job.status == JobStatus.FAILED:
            _set_waiting(job)
        elif job.status != JobStatus.WAITING:
            raise Conflict("Only an import that failed or waits can be run again.")
        wake_worker(job.pk)
    log.info("import_run_again", job=str(job.pk), actor=by.pk if by else None)
    return job


def _set_waiting(job: ImportJob) -> None:
    if not job.path.exists():
        advice = "Upload it again: rows that are here already change nothing."
        raise Conflict(f"The file is not kept any more. {advice}")
    job.status, job.message, job.attempts = JobStatus.WAITING, "", 0
    job.lease = job.leased_until = job.finished_at = None
    job.save()
