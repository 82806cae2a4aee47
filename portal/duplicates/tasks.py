"""The worker's tasks for duplicates."""

import structlog
from celery import shared_task

from portal.duplicates import scans

log = structlog.get_logger("portal.duplicates")


@shared_task(name="duplicates.find")
def find_duplicates() -> None:
    """Requests a scan, once a night."""
    scans.request_scan(by=None)


@shared_task(name="duplicates.run_scans")
def run_scans() -> None:
    """Runs scans that were requested or cut off; started by a nudge, and often."""
    try:
        scans.run_requested_scans()
    except Exception as error:
        log.exception("scan_failed", error=type(error).__name__)


@shared_task(name="duplicates.note_changes")
def scan_recent_changes() -> None:
    """Looks, every few minutes, for duplicates of patients who were added or changed."""
    try:
        scans.scan_recent_changes()
    except Exception as error:
        log.exception("recent_changes_not_scanned", error=type(error).__name__)
