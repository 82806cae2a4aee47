"""What the worker does for imports. Messages carry ids only; the job's row is the truth."""

from uuid import UUID

import structlog
from celery import shared_task

from portal.imports import file_store, selectors, services

log = structlog.get_logger("portal.imports")


@shared_task(name="imports.run_import")
def run_import(job_id: str) -> None:
    """Work on a job unless someone does; an unexpected error leaves it to be taken up again by the beat."""
    try:
        services.run_job(UUID(job_id))
    except Exception as error:
        log.exception("import was interrupted", job=job_id, kind=type(error).__name__)


@shared_task(name="imports.resume_waiting")
def resume_waiting() -> None:
    """Often: nudge for jobs whose nudge was lost or whose process was killed."""
    for job_id in selectors.jobs_without_worker():
        services.nudge(job_id)


@shared_task(name="imports.forget_files")
def delete_old_files() -> None:
    """Once a night."""
    file_store.delete_old_files()
