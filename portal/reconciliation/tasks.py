"""What the worker does for reconciliation. Messages carry nothing; the report's row is the truth."""

import structlog
from celery import shared_task

from portal.reconciliation import services

log = structlog.get_logger("portal.reconciliation")


@shared_task(name="reconciliation.run_waiting")
def run_waiting() -> None:
    """On a nudge, and often: what was asked for on the page."""
    try:
        services.run_waiting_checks()
    except Exception as error:
        log.exception("reconciliation_failed", error=type(error).__name__)


@shared_task(name="reconciliation.check")
def check() -> None:
    """Once a night: only look; what to repair is for a person to decide."""
    services.request_check(by=None)
