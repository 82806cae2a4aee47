"""History, timeline and the record as it was; undo of the last change."""

from itertools import groupby
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from portal.accounts.rules import allow, user_of
from portal.pagination import number_in
from portal.patients.forms.as_of import AsOfForm
from portal.patients.history.log import PastRecord, changes_of, record_as_of
from portal.patients.history.timeline import timeline_page
from portal.patients.history.undo import is_undoable, undo_change
from portal.patients.history.wording import compare_with_today, describe_change
from portal.patients.models import Patient, Source
from portal.patients.selectors import open_patient
from portal.patients.views.layout import (
    add_undo_message,
    incomplete_form,
    patient_layout,
    sent_version,
)


@allow("patients.view_history")
@require_safe
def history(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """Shows who changed what and when, field by field, newest first, page by page."""
    patient = open_patient(user_of(request), patient_id, channel=Source.PORTAL, action="history")
    before = number_in(request, "before")
    page = changes_of(user_of(request), patient, before=before)
    has_undo = before is None and bool(page.rows) and is_undoable(page.rows[0])
    context = {
        **patient_layout(request, patient, tab="patients:history"),
        "changes": [describe_change(change) for change in page.rows],
        "undoable_version": patient.version if has_undo else None,
        "older": page.next_cursor,
        "is_older": before is not None,
        "form": AsOfForm(),
    }
    return render(request, "patients/history.html", context)


@allow("patients.change_patient")
@require_POST
def undo(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """Undoes what the named version changed; the undo can be undone as well."""
    version = sent_version(request)
    if version is None:
        raise incomplete_form()
    patient = undo_change(patient_id, version=version, by=user_of(request), source=Source.PORTAL)
    add_undo_message(request, patient, "Undone: what was changed is put back.")
    return redirect("patients:show", patient_id)


@allow("patients.view_history")
@require_safe
def as_it_was(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """Shows the record as it was at a time (`on`, `at`) or as of a `version`, beside today's."""
    patient = open_patient(user_of(request), patient_id, channel=Source.PORTAL, action="past")
    version = number_in(request, "version")
    if version is not None:
        past = record_as_of(user_of(request), patient, version=version)
        return _render_past(request, patient, past, AsOfForm(), asked={"version": version})
    form = AsOfForm(request.GET)
    if not form.is_valid():
        return _render_past(request, patient, None, form, asked={}, status=422)
    past = record_as_of(user_of(request), patient, at=form.as_of)
    asked = {"as_of": form.as_of, "has_time": bool(form.cleaned_data["at"])}
    return _render_past(request, patient, past, form, asked=asked)


def _render_past(
    request: HttpRequest,
    patient: Patient,
    past: PastRecord | None,
    form: AsOfForm,
    *,
    asked: dict[str, Any],
    status: int = 200,
) -> HttpResponse:
    rows = compare_with_today(past, patient) if past else []
    context = {
        **patient_layout(request, patient, tab="patients:history"),
        "form": form,
        "past": past,
        "asked": asked,
        "rows": rows,
        "differing": sum(row.differs for row in rows),
    }
    return render(request, "patients/as_it_was.html", context, status=status)


@allow("patients.view_history")
@require_safe
def timeline(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """Shows all that happened to the patient, day by day, newest first."""
    patient = open_patient(user_of(request), patient_id, channel=Source.PORTAL, action="timeline")
    before = number_in(request, "before")
    page = timeline_page(user_of(request), patient, before=before)
    days = groupby(page.rows, key=lambda event: timezone.localdate(event.at))
    context = {
        **patient_layout(request, patient, tab="patients:timeline"),
        "days": [(day, list(events)) for day, events in days],
        "older": page.next_cursor,
        "is_older": before is not None,
    }
    return render(request, "patients/timeline.html", context)
