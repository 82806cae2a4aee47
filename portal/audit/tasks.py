"""The worker's task for the audit."""

from celery import shared_task

from portal.audit import services


@shared_task(name="audit.seal")
def seal() -> None:
    """Seals the logs, every minute: a row that is changed after its seal is found out."""
    services.seal_logs()
