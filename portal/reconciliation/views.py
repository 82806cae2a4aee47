"""The pages of reconciliation: whether all stores agree, what differs, and the repair."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from portal.accounts.polling import polled
from portal.accounts.rules import allow, user_of
from portal.reconciliation.models import ReconcileReport
from portal.reconciliation.selectors import kinds_of, open_report, reports_visible_to
from portal.reconciliation.services import request_check

REPORTS_SHOWN = 30


@polled
@allow("reconciliation.view_reconcilereport")
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Shows the last check as a whole, and the earlier ones; a poll gets the last one alone."""
    reports = reports_visible_to(user_of(request))[:REPORTS_SHOWN]
    context = {"reports": reports, **_context_of(reports[0] if reports else None)}
    return render(request, f"reconciliation/index.html{_part(request)}", context)


@polled
@allow("reconciliation.view_reconcilereport")
@require_safe
def show(request: HttpRequest, report_id: UUID) -> HttpResponse:
    """Shows a report, which fills while it runs."""
    report = open_report(user_of(request), report_id)
    return render(request, f"reconciliation/show.html{_part(request)}", _context_of(report))


@allow("reconciliation.add_reconcilereport")
@require_POST
def check(request: HttpRequest) -> HttpResponse:
    """Requests a check, on request with a repair; the page may be closed meanwhile."""
    report = request_check(by=user_of(request), repair="repair" in request.POST)
    return redirect("reconciliation:show", report.pk)


def _part(request: HttpRequest) -> str:
    return "#report" if request.htmx else ""  # type: ignore[attr-defined]  # django-htmx sets it


def _context_of(report: ReconcileReport | None) -> dict[str, Any]:
    if report is None:
        return {"report": None}
    return {"report": report, "stores": report.figures.get("stores", []), "kinds": kinds_of(report)}
