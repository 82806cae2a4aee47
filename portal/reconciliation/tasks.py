"""The worker's tasks for reconciliation. Their messages carry nothing: the report's row counts."""

import structlog
from celery import shared_task

from portal.reconciliation import services

log = structlog.get_logger("portal.reconciliation")


@shared_task(name="reconciliation.run_waiting")
def run_waiting() -> None:
    """Carries out the requested checks; it runs on a nudge, and often by the worker itself."""
    try:
        services.run_waiting_checks()
    except Exception as error:
        log.exception("reconciliation_failed", error=type(error).__name__)


@shared_task(name="reconciliation.check")
def check() -> None:
    """Requests the nightly check. It repairs nothing: that is for an operator to decide."""
    services.request_check(by=None)
