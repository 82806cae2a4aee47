"""Checks are requested, carried out by one process at a time, and reported."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import structlog
from django.db import InterfaceError, OperationalError
from django.db.models import QuerySet
from django.utils import timezone

from portal.accounts.models import User
from portal.jobs import StepListener, nudge, run_jobs, step_recorder
from portal.patients.impossible_dates import prove_dates
from portal.reconciliation.models import ReconcileReport, Verdict
from portal.reconciliation.stores import PATIENCE_SECONDS
from portal.reconciliation.workspace import Workspace, workspace

if TYPE_CHECKING:
    from portal.reconciliation.check import Result

log = structlog.get_logger("portal.reconciliation")
AFTER_REPAIR = 3  # The patience after a repair, in multiples: its changes have a longer way to go.
_CUT_OFF = "It was cut off in the middle. Check again."
_DATABASE_AWAY = (
    "The portal's database went away or refused in the middle. See its log, and check again."
)


def request_check(*, by: User | None, repair: bool = False) -> ReconcileReport:
    """Returns a report that the worker will fill.

    A check of the same kind that waits or runs already is returned instead of a new one.
    """
    unfinished = _unfinished_reports().filter(is_repair=repair)
    report = unfinished.first() or ReconcileReport.objects.create(by=by, is_repair=repair)
    nudge("reconciliation.run_waiting")
    return report


def check_now(
    *,
    by: User | None,
    repair: bool = False,
    patience: float = PATIENCE_SECONDS,
    on_step: StepListener | None = None,
) -> ReconcileReport:
    """Carries out a check in this process, and on request a repair; returns the report.

    Raises Busy while another process is at it.
    """
    with _exclusive_workspace() as space:
        report = ReconcileReport(by=by, is_repair=repair)
        return _carry_out(report, space, patience=patience, on_step=on_step)


def run_waiting_checks() -> int:
    """Carries out the requested checks, oldest first, for the worker; returns how many.

    It is 0 while another process is at it.
    """
    return run_jobs(
        _unfinished_reports().order_by("created_at"), lock=_exclusive_workspace(), run=_carry_out
    )


def _unfinished_reports() -> QuerySet[ReconcileReport]:
    return ReconcileReport.objects.filter(status__in=[Verdict.WAITING, Verdict.RUNNING])


@contextmanager
def _exclusive_workspace() -> Iterator[Workspace]:
    """Opens the workspace, and ends the reports of killed processes.

    Only the process with the workspace works, so whatever else is marked as running was killed.
    """
    with workspace() as space:
        running = ReconcileReport.objects.filter(status=Verdict.RUNNING)
        running.update(status=Verdict.FAILED, message=_CUT_OFF, step="", finished_at=timezone.now())
        yield space


def _carry_out(
    report: ReconcileReport,
    space: Workspace,
    *,
    patience: float = PATIENCE_SECONDS,
    on_step: StepListener | None = None,
) -> ReconcileReport:
    report.status, report.started_at = Verdict.RUNNING, timezone.now()
    report.save()
    record_step = step_recorder(report, on_step)
    try:
        result = _check_and_repair(report, space, patience=patience, on_step=record_step)
    except (OperationalError, InterfaceError) as error:
        log.warning("reconciliation_failed", error=type(error).__name__)
        return _end(report, Verdict.FAILED, _DATABASE_AWAY)
    except BaseException as error:
        kind = type(error).__name__
        _end(report, Verdict.FAILED, f"It ended with {kind}; the log tells more. Check again.")
        raise
    return _end(report, _verdict_of(result), " ".join(result.away.values()))


def _verdict_of(result: "Result") -> Verdict:
    if result.by_kind:
        return Verdict.DIFFERS
    return Verdict.FAILED if result.away else Verdict.AGREES


def _check_and_repair(
    report: ReconcileReport, space: Workspace, *, patience: float, on_step: StepListener
) -> "Result":
    # Clients of Kafka, gRPC and HTTP: 20 MB, which no process needs that only asks for a check.
    from portal.reconciliation.check import check
    from portal.reconciliation.figures import peak_memory_mb
    from portal.reconciliation.repair import Repair

    result = check(space, patience=patience, on_step=on_step)
    found = result.by_kind
    if report.is_repair and found:
        on_step("repairing")
        repair = Repair(space, by=report.by)
        repair.carry_out()
        report.repaired = repair.as_json()
        result = check(
            space,
            patience=AFTER_REPAIR * patience,
            on_step=lambda step: on_step(f"{step}, after the repair"),
        )
    if "impossible-date" not in result.by_kind:
        prove_dates()
    report.difference_count, report.differences = result.difference_count, result.first
    report.figures = {
        "stores": result.stores,
        "byKind": result.by_kind,
        "foundBeforeRepair": found if report.is_repair else {},
        "seconds": result.seconds,
        "peakMemoryMb": peak_memory_mb(),
    }
    return result


def _end(report: ReconcileReport, verdict: Verdict, message: str) -> ReconcileReport:
    report.status = verdict
    report.message = message
    report.step = ""
    report.finished_at = timezone.now()
    report.save()
    log.info(
        "reconciled",
        verdict=verdict.value,
        differences=report.difference_count,
        seconds=report.seconds,
    )
    return report
