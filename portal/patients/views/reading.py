"""One patient's page: the overview, the identifiers, the label, and the states in the banner."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from portal.accounts.rules import allow, user_of
from portal.patients.extensions import notices_for
from portal.patients.history.log import merged_records
from portal.patients.models import Source
from portal.patients.reference.barcode import code128
from portal.patients.selectors import no_such_patient, open_patient, patients_visible_to
from portal.patients.views.layout import extension_tags, patient_layout


@allow("patients.view_patient")
@require_safe
def show(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """The overview: who, contact, identifiers, record."""
    patient = open_patient(user_of(request), patient_id, channel=Source.PORTAL)
    context = {
        **patient_layout(request, patient, tab="patients:show"),
        "is_new": "registered" in request.GET,
        "notices": notices_for(user_of(request), patient),
        "merged_here": merged_records(patient),
    }
    return render(request, "patients/show.html", context)


@allow("patients.view_patient")
@require_safe
def identifiers(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """All numbers that the patient is known by, ours first."""
    patient = open_patient(
        user_of(request), patient_id, channel=Source.PORTAL, action="identifiers"
    )
    context = {
        **patient_layout(request, patient, tab="patients:identifiers"),
        "today": timezone.localdate(),
    }
    return render(request, "patients/identifiers.html", context)


@allow("patients.view_patient")
@require_safe
def label(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """What is stuck on a file or a tube, in its own size, and on paper nothing else."""
    patient = open_patient(user_of(request), patient_id, channel=Source.PORTAL, action="label")
    context = {**patient_layout(request, patient, tab=""), "bars": code128(patient.mrn)}
    return render(request, "patients/label.html", context)


@allow("patients.view_patient")
@require_safe
def tags(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """The states in the banner alone, asked for again and again while one is pending: it names nobody."""
    patient = patients_visible_to(user_of(request)).only("pk").filter(pk=patient_id).first()
    if patient is None:
        raise no_such_patient(patient_id)
    return render(
        request,
        "patients/tags.html",
        {"patient": patient, "tags": extension_tags(request, patient)},
    )
