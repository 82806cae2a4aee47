"""Take a patient off the lists, and put it back: undone with one press, so nobody is asked whether they are sure."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.views.decorators.http import require_POST

from portal.accounts.rules import allow, user_of
from portal.patients.models import Source
from portal.patients.services import archive_patient, restore_patient


@allow("patients.archive_patient")
@require_POST
def archive(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """Archive, and show the list with an undo."""
    version = _version(request)
    patient = archive_patient(patient_id, by=user_of(request), source=Source.PORTAL, expected_version=version)
    messages.success(request, render_to_string("patients/archived.html", {"patient": patient}, request))
    return redirect("patients:list")


@allow("patients.archive_patient")
@require_POST
def restore(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """Back on the lists, and on the screen, with an undo."""
    patient = restore_patient(patient_id, by=user_of(request), source=Source.PORTAL)
    messages.success(request, render_to_string("patients/restored.html", {"patient": patient}, request))
    return redirect("patients:show", patient_id)


def _version(request: HttpRequest) -> int | None:
    """The version that the person looked at; without one the newest is meant."""
    sent = request.POST.get("version", "")
    return int(sent) if sent.isdigit() else None
