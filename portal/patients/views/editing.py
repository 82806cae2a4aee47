"""Edit, archive and restore a patient; two users who edit one patient see both versions."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.views.decorators.http import require_http_methods, require_POST

from portal.accounts.rules import allow, user_of
from portal.errors import PortalError, StaleVersion
from portal.patients.forms.edit import (
    EditForm,
    OpenedPatient,
    read_form,
    read_values,
    typed_values,
)
from portal.patients.forms.fields import boxes_in_words
from portal.patients.forms.hints import hints_context
from portal.patients.forms.patient import PatientForm
from portal.patients.models import Patient, Source
from portal.patients.selectors import open_patient
from portal.patients.services import archive_patient, change_patient, restore_patient
from portal.patients.views.layout import add_undo_message, patient_layout, sent_version
from portal.patients.views.similar_panel import keep_panel_if_unchanged, panel_for, shown_in


@allow("patients.change_patient")
@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """Shows the form with what is stored; saves what the user changed in it."""
    patient = open_patient(user_of(request), patient_id, channel=Source.PORTAL)
    if request.method == "GET":
        opened = OpenedPatient.from_patient(patient)
        return _render_form(request, patient, opened, _opened_form(patient, opened.values))
    opened = OpenedPatient.from_token(request.POST.get("opened", ""), patient_id)
    form = EditForm(request.POST, initial=opened.values)
    if not form.is_valid():
        return _render_form(request, patient, opened, form, status=422)
    try:
        _save(request, patient_id, form, opened.version)
    except StaleVersion:
        return _render_both_versions(request, patient_id, opened)
    except PortalError as error:
        needs_reason = bool(error.extra.get("duplicate")) and not error.errors
        if not needs_reason:
            form.add_problems(error)
        return _render_form(
            request, patient, opened, form, needs_reason=needs_reason, status=error.status
        )
    return redirect("patients:show", patient_id)


def _save(request: HttpRequest, patient_id: UUID, form: EditForm, version: int) -> None:
    if not form.changed_fields:
        return
    changed = change_patient(
        patient_id,
        form.details,
        by=user_of(request),
        source=Source.PORTAL,
        expected_version=version,
        override_reason=form.reason_text,
        shown=shown_in(request.POST.get("shown", ""), user_of(request)),
    )
    if changed.version > version:
        add_undo_message(request, changed, "Saved.")


def _render_both_versions(
    request: HttpRequest, patient_id: UUID, opened: OpenedPatient
) -> HttpResponse:
    """Shows both changes side by side; where both changed a field, the form has ours."""
    patient = open_patient(user_of(request), patient_id, channel=Source.PORTAL)
    theirs = OpenedPatient.from_patient(patient)
    form = EditForm(request.POST, initial=opened.values)
    ours, our_fields = typed_values(form), form.changed_fields
    differing_fields = EditForm(request.POST, initial=theirs.values).changed_fields
    rows = []
    for name, our_value in ours.items():
        before, their_value = opened.values.get(name), theirs.values.get(name)
        if their_value != before:
            row = {
                "label": _label(name),
                "before": _shown(before),
                "theirs": _shown(their_value),
                "ours": _shown(our_value),
                "is_contested": name in our_fields & differing_fields,
            }
            rows.append(row)
    values = {**theirs.values, **{name: ours[name] for name in our_fields}}
    return _render_form(
        request, patient, theirs, _opened_form(patient, values), conflict=rows, status=409
    )


def _label(name: str) -> str:
    return "Identifiers" if name == "identifiers" else str(PatientForm.base_fields[name].label)


def _shown(value: Any) -> str:
    """Returns a value of the form in one line; a list holds the boxes of a date, or identifiers."""
    if not isinstance(value, list):
        return str(value or "") or "Not recorded"
    if value and isinstance(value[0], Mapping):
        return ", ".join(" ".join(filter(None, row.values())) for row in value)
    return boxes_in_words(value) or "Not recorded"


def _opened_form(patient: Patient, values: Mapping[str, Any]) -> EditForm:
    """Returns the form that shows `values`, and knows what is stored now."""
    token = OpenedPatient.from_patient(patient).token(patient.pk)
    return EditForm(initial={**values, "opened": token})


def _render_form(
    request: HttpRequest,
    patient: Patient,
    opened: OpenedPatient,
    form: EditForm,
    *,
    conflict: list[dict[str, Any]] | None = None,
    needs_reason: bool = False,
    status: int = 200,
) -> HttpResponse:
    similar = _similar_context(request, patient.pk, opened, form)
    if needs_reason:
        form.ask_for_override_reason()
    context = {**patient_layout(request, patient, tab=""), **similar, "conflict": conflict}
    return render(request, "patients/edit.html", context, status=status)


@allow("patients.change_patient")
@require_POST
def edit_similar(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """Shows the patients that the record looks like now, and the hints, while the user types."""
    opened = OpenedPatient.from_token(request.POST.get("opened", ""), patient_id)
    form = EditForm(request.POST, initial=opened.values)
    context = _similar_context(request, patient_id, opened, form)
    response = render(request, "patients/similar_update.html", context)
    return keep_panel_if_unchanged(response, context["panel"])


def _similar_context(
    request: HttpRequest, patient_id: UUID, opened: OpenedPatient, form: EditForm
) -> dict[str, Any]:
    """Returns the form with its hints, and the panel of patients that only the changes match."""
    before = read_values(opened.values)
    shown = before if form.shows(opened.values) else read_form(form)
    panel = panel_for(
        user_of(request),
        shown.readable_details,
        seen=request.POST.get("shown", ""),
        changed_id=patient_id,
        before=before.readable_details,
    )
    if panel.has_new_strong_match and form.is_bound:
        form.forget_override_reason()
    return {"form": form, "panel": panel, **hints_context(form, shown)}


@allow("patients.archive_patient")
@require_POST
def archive(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """Archives the patient, and shows the list with an undo."""
    patient = archive_patient(
        patient_id,
        by=user_of(request),
        source=Source.PORTAL,
        expected_version=sent_version(request),  # Without one, the newest is archived.
    )
    message = render_to_string("patients/archived_message.html", {"patient": patient}, request)
    messages.success(request, message)
    return redirect("patients:list")


@allow("patients.archive_patient")
@require_POST
def restore(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """Restores the patient, and shows the record with an undo."""
    patient = restore_patient(patient_id, by=user_of(request), source=Source.PORTAL)
    message = render_to_string("patients/restored_message.html", {"patient": patient}, request)
    messages.success(request, message)
    return redirect("patients:show", patient_id)
