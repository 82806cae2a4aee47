"""What may change here: a check is asked for, carried out by one process at a time, and reported."""

import structlog
from celery import current_app
from django.db import InterfaceError, OperationalError, transaction
from django.utils import timezone
from kombu.exceptions import OperationalError as QueueAway

from portal.accounts.models import User
from portal.reconciliation import figures
from portal.reconciliation.check import PATIENCE_SECONDS, Result, Tell, check
from portal.reconciliation.models import ReconcileReport, Verdict
from portal.reconciliation.repair import Repair
from portal.reconciliation.workspace import CheckIsRunning, Workspace, workspace

log = structlog.get_logger("portal.reconciliation")
AFTER_REPAIR = 3  # Times the patience: what was repaired has a longer way to go.
NUDGE_SECONDS = 10
_CUT_OFF = "It was cut off in the middle. Check again."
_DATABASE_AWAY = (
    "The portal's database went away or refused in the middle. See its log, and check again."
)


def request_check(*, by: User | None, repair: bool = False) -> ReconcileReport:
    """A report that the worker will fill; the one that is on its way already where there is one of the kind."""
    open_ones = ReconcileReport.objects.filter(
        status__in=[Verdict.WAITING, Verdict.RUNNING], is_repair=repair
    )
    report = open_ones.first() or ReconcileReport.objects.create(by=by, is_repair=repair)
    transaction.on_commit(_nudge)
    return report


def check_now(
    *,
    by: User | None,
    repair: bool = False,
    patience: float = PATIENCE_SECONDS,
    tell: Tell | None = None,
) -> ReconcileReport:
    """Carry a check out in this process, and a repair where something differs; the report. Busy while another runs."""
    with workspace() as space:
        report = ReconcileReport(by=by, is_repair=repair)
        return _carry_out(report, space, patience=patience, tell=tell)


def run_waiting_checks() -> int:
    """For the worker: carry out what was asked for, oldest first; how many. 0 while another process is at it."""
    unfinished = ReconcileReport.objects.filter(status__in=[Verdict.WAITING, Verdict.RUNNING])
    count = 0
    if unfinished.exists():
        try:
            with workspace() as space:
                _end_cut_off()
                while report := unfinished.order_by("created_at").first():
                    _carry_out(report, space)
                    count += 1
        except CheckIsRunning:
            pass
    return count


def _nudge() -> None:
    """A lost one does no harm: the beat looks for reports that wait."""
    try:
        current_app.send_task("reconciliation.run_waiting", expires=NUDGE_SECONDS)
    except (QueueAway, OSError) as error:
        log.warning("reconciliation_waits_for_the_beat", error=type(error).__name__)


def _end_cut_off() -> None:
    """Who holds the lock knows: whatever else is said to be running was killed."""
    ended = ReconcileReport.objects.filter(status=Verdict.RUNNING)
    ended.update(status=Verdict.FAILED, message=_CUT_OFF, step="", finished_at=timezone.now())


def _carry_out(
    report: ReconcileReport,
    space: Workspace,
    *,
    patience: float = PATIENCE_SECONDS,
    tell: Tell | None = None,
) -> ReconcileReport:
    _end_cut_off()
    report.status, report.started_at = Verdict.RUNNING, timezone.now()
    report.save()

    def told(step: str) -> None:
        ReconcileReport.objects.filter(pk=report.pk).update(step=step)
        if tell:
            tell(step)

    try:
        result = _check_and_repair(report, space, patience=patience, tell=told)
    except (OperationalError, InterfaceError) as error:
        log.warning("reconciliation_failed", error=type(error).__name__)
        return _end(report, Verdict.FAILED, _DATABASE_AWAY)
    except BaseException as error:
        _end(
            report,
            Verdict.FAILED,
            f"It ended with {type(error).__name__}; the log tells more. Check again.",
        )
        raise
    verdict = (
        Verdict.DIFFERS if result.by_kind else Verdict.FAILED if result.away else Verdict.AGREES
    )
    return _end(report, verdict, " ".join(result.away.values()))


def _check_and_repair(
    report: ReconcileReport, space: Workspace, *, patience: float, tell: Tell
) -> Result:
    result = check(space, patience=patience, tell=tell)
    found = result.by_kind
    if report.is_repair and found:
        tell("repairing")
        repair = Repair(space, by=report.by)
        repair.carry_out()
        report.repaired = repair.as_json()
        result = check(
            space,
            patience=AFTER_REPAIR * patience,
            tell=lambda step: tell(f"{step}, after the repair"),
        )
    report.difference_count, report.differences = result.difference_count, result.first
    report.figures = {
        "stores": result.stores,
        "byKind": result.by_kind,
        "foundBeforeRepair": found if report.is_repair else {},
        "seconds": result.seconds,
        "peakMemoryMb": figures.peak_memory_mb(),
    }
    return result


def _end(report: ReconcileReport, verdict: Verdict, message: str) -> ReconcileReport:
    report.status, report.message, report.step, report.finished_at = (
        verdict,
        message,
        "",
        timezone.now(),
    )
    report.save()
    log.info(
        "reconciled",
        verdict=verdict.value,
        differences=report.difference_count,
        seconds=report.seconds,
    )
    return report
