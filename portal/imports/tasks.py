"""What the worker does for imports. Messages carry ids only; the job's row is the truth."""

from uuid import UUID

import structlog
from celery import shared_task

from portal.imports.file_store import delete_old_files
from portal.imports.pipeline.execution import wake_worker
from portal.imports.selectors import jobs_without_process
from portal.imports.services import run_job

log = structlog.get_logger("portal.imports")


@shared_task(name="imports.run_import")
def run_import(job_id: str) -> None:
    """Works on a job unless another process does; the worker repeats it after a strange error."""
    try:
        run_job(UUID(job_id))
    except Exception as error:
        log.exception("import_interrupted", job=job_id, kind=type(error).__name__)


@shared_task(name="imports.resume_waiting")
def resume_waiting() -> None:
    """Often: wakes the worker for jobs whose nudge was lost or whose process was killed."""
    for job_id in jobs_without_process():
        wake_worker(job_id)


@shared_task(name="imports.forget_files")
def forget_files() -> None:
    """Once a night."""
    delete_old_files()
