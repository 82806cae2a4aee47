"""What the worker does for patients."""

import structlog
from celery import shared_task

from portal.patients import keys
from portal.patients.finding import vocabulary
from portal.patients.matching import scanning

log = structlog.get_logger("portal.patients")


@shared_task(name="patients.forget_keys")
def forget_keys() -> None:
    """Once an hour."""
    keys.forget_keys()


@shared_task(name="patients.forget_words")
def forget_words() -> None:
    """Once a night: no word of an erased patient's name stays behind."""
    vocabulary.forget_words()


@shared_task(name="patients.find_duplicates")
def find_duplicates() -> None:
    """Once a night."""
    scanning.ask_for_scan(by=None)


@shared_task(name="patients.run_scans")
def run_scans() -> None:
    """On a nudge, and often: what was asked for by night or on the page, or was cut off by a kill."""
    try:
        scanning.run_waiting()
    except Exception as error:
        log.exception("scan_failed", error=type(error).__name__)


@shared_task(name="patients.note_changes")
def note_changes() -> None:
    """Every few minutes: who came or changed may be here already, too."""
    try:
        scanning.note_changes()
    except Exception as error:
        log.exception("changes_not_looked_at", error=type(error).__name__)
