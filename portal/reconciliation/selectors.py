"""Reads the reports of checks for users, for programs, and for health and metrics."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from portal.accounts.models import User
from portal.errors import NotAllowed, NotFound
from portal.reconciliation.difference_kinds import KINDS
from portal.reconciliation.models import ReconcileReport, Verdict


@dataclass(frozen=True)
class ReconcileState:
    """What the last check with a verdict found; `age_seconds` is None where there was none yet."""

    differences: int
    age_seconds: float | None


def reports_visible_to(user: User | None) -> QuerySet[ReconcileReport]:
    """Returns the reports that this user may see, newest first.

    None stands for the clinic's own commands.
    """
    if user is not None and not user.has_perm("reconciliation.view_reconcilereport"):
        raise NotAllowed("Ask an operator for the right to see reconciliations.")
    return ReconcileReport.objects.select_related("by")


def open_report(user: User | None, report_id: UUID) -> ReconcileReport:
    """Returns a report; raises NotFound where there is none that the user may see."""
    report = reports_visible_to(user).filter(pk=report_id).first()
    if report is None:
        raise NotFound("There is no reconciliation at this address.")
    return report


def reconcile_state() -> ReconcileState:
    """Returns what the last verdict was, for readiness and metrics."""
    decided = ReconcileReport.objects.filter(status__in=[Verdict.AGREES, Verdict.DIFFERS])
    last = decided.order_by("-finished_at").values_list("difference_count", "finished_at").first()
    differences, finished_at = last or (0, None)
    if finished_at is None:
        return ReconcileState(differences, None)
    return ReconcileState(differences, max(0.0, (timezone.now() - finished_at).total_seconds()))


def as_json(report: ReconcileReport) -> dict[str, Any]:
    """Returns the report for programs: `manage.py reconcile --json`."""
    return {
        "id": str(report.pk),
        "verdict": report.status,
        "startedAt": report.started_at.isoformat() if report.started_at else None,
        "finishedAt": report.finished_at.isoformat() if report.finished_at else None,
        "message": report.message,
        **report.figures,
        "differenceCount": report.difference_count,
        "differences": report.differences,
        "repaired": report.repaired,
    }


def kinds_of(report: ReconcileReport) -> list[dict[str, Any]]:
    """Returns each kind that was found, with its count, in the order in which changes flow."""
    counts = report.figures.get("byKind", {})
    return [
        {"store": kind.store, "title": kind.title, "count": counts[code], "to_do": kind.to_do}
        for code, kind in KINDS.items()
        if code in counts
    ]
