"""Undo for what was saved, as a message that stays until the next page."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.views.decorators.http import require_POST

from portal.accounts.rules import allow, user_of
from portal.errors import InvalidInput
from portal.patients.models import Patient, Source
from portal.patients.undoing import undo_change


@allow("patients.change_patient")
@require_POST
def undo(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """Put back what the named version changed; that can be undone too."""
    version = request.POST.get("version", "")
    if not (version.isascii() and version.isdigit() and len(version) < 19):
        raise InvalidInput("This form is not complete. Go back, reload the page and press again.")
    patient = undo_change(patient_id, version=int(version), by=user_of(request), source=Source.PORTAL)
    tell_with_undo(request, patient, "Undone: what was changed is put back.")
    return redirect("patients:show", patient_id)


def tell_with_undo(request: HttpRequest, patient: Patient, words: str) -> None:
    """Say it on the next page, with a button that takes it back."""
    context = {"patient": patient, "words": words}
    messages.success(request, render_to_string("patients/saved.html", context, request))
