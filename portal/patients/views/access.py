"""Who looked at a patient's record, by person and period."""

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
    """Newest first. This page is a reading too, and stands on top of itself."""
    user = user_of(request)
    patient = open_patient(user, patient_id, channel=Source.PORTAL, action="access")
    days = request.GET.get("period", "")
    filters = AccessFilters(
        person=number_in(request, "person"),
        since=timezone.now() - timedelta(days=int(days)) if days and days in PERIODS else None,
        with_lists="lists" in request.GET,
    )
    page = access_records_of(user, patient, filters=filters, before=number_in(request, "before"))
    asked = {
        name: value
        for name, value in request.GET.items()
        if value and name in {"person", "period", "lists"}
    }
    context = {
        **patient_layout(request, patient, tab="patients:access"),
        "page": page,
        "filters": filters,
        "period": days if days in PERIODS else "",
        "periods": PERIODS.items(),
        "people": users_with_access_records(user, patient),
        "is_narrowed": bool(asked),
        "is_older": "before" in request.GET,
        "first_query": urlencode(asked),
        "older_query": urlencode({**asked, "before": page.before}) if page.before else "",
    }
    return render(request, "patients/access.html", context)
