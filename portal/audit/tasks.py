"""What the worker does for the audit."""

from celery import shared_task

from portal.audit import services


@shared_task(name="audit.seal")
def seal() -> None:
    """Every minute: a row that was changed later than that is found out."""
    services.seal_logs()
