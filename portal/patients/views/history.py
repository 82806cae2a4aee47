"""What changed on a record, change by change, and the record as it was."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from portal.accounts.rules import allow, user_of
from portal.patients.models import Patient, Source
from portal.patients.record.frame import frame
from portal.patients.record.history import State, changes_of, state_of
from portal.patients.record.moments import MomentForm
from portal.patients.record.telling import readable, side_by_side
from portal.patients.selectors import open_patient
from portal.patients.undoing import is_undoable
from portal.patients.views.cursors import number_in


@allow("patients.view_history")
@require_safe
def history(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """Who changed what, when, field by field, newest first, page by page."""
    patient = open_patient(user_of(request), patient_id, door=Source.PORTAL, action="history")
    before = number_in(request, "before")
    page = changes_of(user_of(request), patient, before=before)
    context = {
        **frame(request, patient, tab="patients:history"),
        "changes": [readable(change) for change in page.changes],
        "undoable": patient.version if page.changes and before is None and is_undoable(page.changes[0]) else None,
        "older": page.before,
        "is_older": before is not None,
        "form": MomentForm(),
    }
    return render(request, "patients/history.html", context)


@allow("patients.view_history")
@require_safe
def as_it_was(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """The whole record as it stood at a moment (`on`, `at`) or as of a `version`, and what differs today."""
    patient = open_patient(user_of(request), patient_id, door=Source.PORTAL, action="past")
    version = number_in(request, "version")
    if version is not None:
        state = state_of(user_of(request), patient, version=version)
        return _page(request, patient, MomentForm(), state, {"version": version})
    form = MomentForm(request.GET)
    if not form.is_valid():
        return _page(request, patient, form, None, {}, status=422)
    state = state_of(user_of(request), patient, at=form.moment)
    return _page(request, patient, form, state, {"moment": form.moment, "has_time": bool(form.cleaned_data["at"])})


def _page(
    request: HttpRequest,
    patient: Patient,
    form: MomentForm,
    state: State | None,
    asked: dict[str, Any],
    *,
    status: int = 200,
) -> HttpResponse:
    rows = side_by_side(state, patient) if state else []
    context = {
        **frame(request, patient, tab="patients:history"),
        "form": form,
        "state": state,
        "asked": asked,
        "rows": rows,
        "differing": sum(row.differs for row in rows),
    }
    return render(request, "patients/as_it_was.html", context, status=status)
