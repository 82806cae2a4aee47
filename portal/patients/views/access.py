"""The Access tab: who looked at a patient's record, by user and period."""

from datetime import timedelta
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from portal.accounts.rules import allow, user_of
from portal.pagination import number_in
from portal.patients.history.access_log import (
    AccessFilters,
    access_records_of,
    users_with_access_records,
)
from portal.patients.models import Source
from portal.patients.selectors import open_patient
from portal.patients.views.layout import patient_layout

# Days, as the address has them, and their words.
PERIODS = {
    "": "Any time",
    "1": "Last 24 hours",
    "7": "Last 7 days",
    "30": "Last 30 days",
    "365": "Last year",
}


@allow("patients.view_access")
@require_safe
def access(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """Shows the access log, newest first; opening this page is the newest access record."""
    user = user_of(request)
    patient = open_patient(user, patient_id, channel=Source.PORTAL, action="access")
    period = request.GET.get("period", "")
    period = period if period in PERIODS else ""
    filters = AccessFilters(
        user_id=number_in(request, "person"),
        since=timezone.now() - timedelta(days=int(period)) if period else None,
        with_lists="lists" in request.GET,
    )
    page = access_records_of(user, patient, filters=filters, before=number_in(request, "before"))
    names = ("person", "period", "lists")
    query = {name: value for name, value in request.GET.items() if value and name in names}
    older = urlencode({**query, "before": page.next_cursor}) if page.next_cursor else ""
    context = {
        **patient_layout(request, patient, tab="patients:access"),
        "page": page,
        "filters": filters,
        "period": period,
        "periods": PERIODS.items(),
        "users": users_with_access_records(user, patient),
        "is_narrowed": bool(query),
        "is_older": "before" in request.GET,
        "first_query": urlencode(query),
        "older_query": older,
    }
    return render(request, "patients/access.html", context)
