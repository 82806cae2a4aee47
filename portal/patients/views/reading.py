"""One patient's page, and what changed."""

from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from portal.accounts.rules import allow, user_of
from portal.errors import NotFound
from portal.patients.frame import frame, tags_of
from portal.patients.models import Patient, Precision, Sex, Source, Status
from portal.patients.selectors import Change, history_of, open_patient, patients_visible_to


@allow("patients.view_patient")
@require_safe
def show(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """The overview: who, contact, identifiers, record."""
    patient = open_patient(user_of(request), patient_id, door=Source.PORTAL)
    context = frame(request, patient, tab="patients:show")
    return render(request, "patients/show.html", {**context, "is_new": "registered" in request.GET})


@allow("patients.view_history")
@require_safe
def history(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """Who changed what, when, field by field, newest first."""
    patient = open_patient(user_of(request), patient_id, door=Source.PORTAL)
    changes = [_readable(change) for change in history_of(user_of(request), patient_id, door=Source.PORTAL)]
    return render(
        request, "patients/history.html", {**frame(request, patient, tab="patients:history"), "changes": changes}
    )


@allow("patients.view_patient")
@require_safe
def tags(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """The states in the banner alone, asked for again and again while one is pending: it names nobody."""
    patient = patients_visible_to(user_of(request)).only("pk").filter(pk=patient_id).first()
    if patient is None:
        raise NotFound("There is no patient at this address.")
    return render(request, "patients/tags.html", {"patient": patient, "tags": tags_of(request, patient)})


def _readable(change: Change) -> Change:
    """The same change in the words of the pages: labels for fields, dates and choices spelt out."""
    first = change.kind == "insert"
    fields = [
        (_label(name), "" if first else _worded(name, old), _worded(name, new))
        for name, old, new in change.fields
        if name not in _OF_THE_MACHINE and not (first and (name, new) in _TAKEN_AS_READ)
    ]
    return replace(change, fields=fields)


_OF_THE_MACHINE = {"id", "version", "created_at", "updated_at", "phone_e164"}
_TAKEN_AS_READ = {("date_of_birth_precision", "day"), ("status", "active")}
_CHOICES = {"sex": Sex, "status": Status, "source": Source, "date_of_birth_precision": Precision}


_LABELS = {
    "identifiers": "identifiers",
    "address_line1": "address line 1",
    "address_line2": "address line 2",
    "date_of_birth_precision": "date of birth known to the",
}


def _label(name: str) -> str:
    label = _LABELS.get(name) or str(getattr(Patient._meta.get_field(name), "verbose_name", name))
    return label[0].upper() + label[1:]


def _worded(name: str, value: Any) -> str:
    if value == "":
        return "Not recorded"
    if name in _CHOICES:
        return str(_CHOICES[name](value).label)
    if name in {"date_of_birth", "deceased_on", "registered_on"}:
        return date.fromisoformat(value).strftime("%d-%b-%Y")
    return str(value)
