"""The audit in the browser: who read and changed what through which channel, also as a file."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from portal.accounts.rules import allow, user_of
from portal.audit.csv_export import as_csv
from portal.audit.forms import AuditForm, first_day_of
from portal.audit.selectors import all_audit_entries, audit_page, open_access_record
from portal.downloads import send_file
from portal.patients.audit import record_audit_export
from portal.patients.models import Source

PAGE_SIZE = 50
PERIODS = [("Today", 1), ("7 days", 7), ("30 days", 30), ("All", None)]  # Days up to today.


@allow("patients.view_accessrecord")
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Shows the entries that match, newest first; without a first day those of the last week."""
    form = AuditForm(request.GET)
    if not form.is_valid():
        return render(request, "audit/index.html", _context(form), status=422)
    after = request.GET.get("after", "")
    page = audit_page(user_of(request), form.query, after=after, limit=PAGE_SIZE)
    next_query = _query_string(form, after=page.next_cursor) if page.next_cursor else ""
    context = {**_context(form), "page": page, "after": after, "next_query": next_query}
    return render(request, "audit/index.html", context)


@allow("patients.view_accessrecord")
@require_safe
def export(request: HttpRequest) -> HttpResponseBase:
    """Sends all entries as CSV, with every patient of each. The export itself is recorded first."""
    form = AuditForm(request.GET)
    if not form.is_valid():
        return render(request, "audit/index.html", _context(form), status=422)
    user, query = user_of(request), form.query

    def lines() -> Iterable[str]:
        record_audit_export(user, query.patient, channel=Source.PORTAL)
        return as_csv(all_audit_entries(user, query))

    return send_file(f"audit-{timezone.localtime():%Y%m%d-%H%M}.csv", lines)


@allow("patients.view_accessrecord")
@require_safe
def show(request: HttpRequest, record_id: int) -> HttpResponse:
    """Shows an access record with all its patients; for htmx the list of patients alone."""
    record, patients = open_access_record(user_of(request), record_id)
    part = "#patients" if "HX-Request" in request.headers else ""
    return render(request, f"audit/show.html{part}", {"record": record, "patients": patients})


def _context(form: AuditForm) -> dict[str, Any]:
    periods = [_period(form, label, days) for label, days in PERIODS]
    return {"form": form, "periods": periods, "query": _query_string(form)}


def _period(form: AuditForm, label: str, days: int | None) -> dict[str, Any]:
    since = first_day_of(days) if days else ""
    return {
        "label": label,
        "query": _query_string(form, since=since, until=""),
        "is_current": (form.data["since"], form.data["until"]) == (since, ""),
    }


def _query_string(form: AuditForm, **changes: str) -> str:
    """Returns the form's fields for an address. `since` stays even if empty: it then means all."""
    data = {**form.data, **changes}
    return urlencode({name: value for name, value in data.items() if value or name == "since"})
