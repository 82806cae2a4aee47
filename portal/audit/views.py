"""The audit in the browser: who read and wrote what, through which door, and the same as a file."""

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from portal.accounts.rules import allow, user_of
from portal.audit.csv_export import as_csv
from portal.audit.forms import AuditForm, first_of
from portal.audit.selectors import patients_of, trail, whole_trail
from portal.patients.audit import record_export_of_audit
from portal.patients.models import Source

PAGE_SIZE = 50
PERIODS = [("Today", 1), ("7 days", 7), ("30 days", 30), ("All", None)]


@allow("patients.view_accessrecord")
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """The trail as asked for, newest first; of the last seven days where nothing else is said."""
    form = AuditForm(request.GET)
    if not form.is_valid():
        return render(request, "audit/index.html", _page(form), status=422)
    after = request.GET.get("after", "")
    page = trail(user_of(request), form.asked, after=after, limit=PAGE_SIZE)
    next_query = _query(form, after=page.next_cursor) if page.next_cursor else ""
    return render(
        request,
        "audit/index.html",
        {**_page(form), "page": page, "after": after, "next_query": next_query},
    )


@allow("patients.view_accessrecord")
@require_safe
def export(request: HttpRequest) -> HttpResponseBase:
    """The same as CSV, with every patient of every row. That it was taken is recorded first."""
    form = AuditForm(request.GET)
    if not form.is_valid():
        return render(request, "audit/index.html", _page(form), status=422)
    user, asked = user_of(request), form.asked
    record_export_of_audit(user, asked.patient, channel=Source.PORTAL)
    name = f"audit-{timezone.localtime():%Y%m%d-%H%M}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    lines = as_csv(whole_trail(user, asked))
    return StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8", headers=headers)


@allow("patients.view_accessrecord")
@require_safe
def show(request: HttpRequest, record_id: int) -> HttpResponse:
    """One reading with everybody who was seen in it; the table takes the list alone into its row."""
    record, patients = patients_of(user_of(request), record_id)
    part = "#patients" if request.htmx else ""  # type: ignore[attr-defined]
    return render(request, f"audit/show.html{part}", {"record": record, "patients": patients})


def _page(form: AuditForm) -> dict[str, Any]:
    periods = [
        {
            "label": label,
            "query": _query(form, since=since, until=""),
            "is_current": _is_open_since(form, since),
        }
        for label, days in PERIODS
        for since in [first_of(days) if days else ""]
    ]
    return {"form": form, "periods": periods, "query": _query(form)}


def _is_open_since(form: AuditForm, since: str) -> bool:
    return (form.data["since"], form.data["until"]) == (since, "")


def _query(form: AuditForm, **other: str) -> str:
    """What is asked for as a query; `since` is always in it, since without it a week is meant."""
    asked = {**form.data, **other}
    return urlencode({name: value for name, value in asked.items() if value or name == "since"})
