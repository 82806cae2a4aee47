"""What the worker does for duplicates."""

import structlog
from celery import shared_task

from portal.duplicates import scans

log = structlog.get_logger("portal.duplicates")


@shared_task(name="duplicates.find")
def find_duplicates() -> None:
    """Once a night."""
    scans.request_scan(by=None)


@shared_task(name="duplicates.run_scans")
def run_scans() -> None:
    """On a nudge, and often: what was asked for by night or on the page, or was cut off by a kill."""
    try:
        scans.run_requested_scans()
    except Exception as error:
        log.exception("scan_failed", error=type(error).__name__)


@shared_task(name="duplicates.note_changes")
def note_changes() -> None:
    """Every few minutes: who came or changed may be here already, too."""
    try:
        scans.scan_recent_changes()
    except Exception as error:
        log.exception("changes_not_looked_at", error=type(error).__name__)
