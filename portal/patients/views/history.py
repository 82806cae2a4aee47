"""What changed on a record, change by change, and the record as it was."""

from itertools import groupby
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from portal.accounts.rules import allow, user_of
from portal.errors import InvalidInput
from portal.pagination import number_in
from portal.patients.forms.as_of import AsOfForm
from portal.patients.history.log import PastRecord, changes_of, record_as_of
from portal.patients.history.timeline import timeline_page
from portal.patients.history.undo import is_undoable, undo_change
from portal.patients.history.wording import compare_with_today, describe_change
from portal.patients.models import Patient, Source
from portal.patients.selectors import open_patient
from portal.patients.views.layout import add_undo_message, patient_layout


@allow("patients.view_history")
@require_safe
def history(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """Who changed what, when, field by field, newest first, page by page."""
    patient = open_patient(user_of(request), patient_id, channel=Source.PORTAL, action="history")
    before = number_in(request, "before")
    page = changes_of(user_of(request), patient, before=before)
    context = {
        **patient_layout(request, patient, tab="patients:history"),
        "changes": [describe_change(change) for change in page.changes],
        "undoable": patient.version
        if page.changes and before is None and is_undoable(page.changes[0])
        else None,
        "older": page.before,
        "is_older": before is not None,
        "form": AsOfForm(),
    }
    return render(request, "patients/history.html", context)


@allow("patients.view_history")
@require_safe
def as_it_was(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """The whole record as it stood at a moment (`on`, `at`) or as of a `version`, and what differs today."""
    patient = open_patient(user_of(request), patient_id, channel=Source.PORTAL, action="past")
    version = number_in(request, "version")
    if version is not None:
        state = record_as_of(user_of(request), patient, version=version)
        return _page(request, patient, AsOfForm(), state, {"version": version})
    form = AsOfForm(request.GET)
    if not form.is_valid():
        return _page(request, patient, form, None, {}, status=422)
    state = record_as_of(user_of(request), patient, at=form.moment)
    return _page(
        request,
        patient,
        form,
        state,
        {"moment": form.moment, "has_time": bool(form.cleaned_data["at"])},
    )


def _page(
    request: HttpRequest,
    patient: Patient,
    form: AsOfForm,
    state: PastRecord | None,
    asked: dict[str, Any],
    *,
    status: int = 200,
) -> HttpResponse:
    rows = compare_with_today(state, patient) if state else []
    context = {
        **patient_layout(request, patient, tab="patients:history"),
        "form": form,
        "state": state,
        "asked": asked,
        "rows": rows,
        "differing": sum(row.differs for row in rows),
    }
    return render(request, "patients/as_it_was.html", context, status=status)


@allow("patients.view_history")
@require_safe
def timeline(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """Newest first; older parts are a link away."""
    patient = open_patient(user_of(request), patient_id, channel=Source.PORTAL, action="timeline")
    before = number_in(request, "before")
    story = timeline_page(user_of(request), patient, before=before)
    days = groupby(story.happenings, key=lambda one: timezone.localdate(one.at))
    context = {
        **patient_layout(request, patient, tab="patients:timeline"),
        "days": [(day, list(happenings)) for day, happenings in days],
        "older": story.before,
        "is_older": before is not None,
    }
    return render(request, "patients/timeline.html", context)


@allow("patients.change_patient")
@require_POST
def undo(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """Put back what the named version changed; that can be undone too."""
    version = request.POST.get("version", "")
    if not (version.isascii() and version.isdigit() and len(version) < 19):
        raise InvalidInput("This form is not complete. Go back, reload the page and press again.")
    patient = undo_change(
        patient_id, version=int(version), by=user_of(request), source=Source.PORTAL
    )
    add_undo_message(request, patient, "Undone: what was changed is put back.")
    return redirect("patients:show", patient_id)
