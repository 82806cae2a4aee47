"""Register a patient: once, and not one who is there already unless somebody says why."""

import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from portal.accounts.rules import allow, user_of
from portal.errors import Conflict, PortalError
from portal.patients.audit import record_reading
from portal.patients.forms import RegisterForm
from portal.patients.models import Patient, Source
from portal.patients.selectors import patients_visible_to
from portal.patients.services import register_patient
from portal.patients.words import date_from


@allow("patients.add_patient")
@require_http_methods(["GET", "POST"])
def register(request: HttpRequest) -> HttpResponse:
    """The empty form, with the search text that found nobody; then the new patient's page."""
    if request.method == "GET":
        return _page(request, RegisterForm(initial=_carried(request.GET.get("text", ""))))
    form = RegisterForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    try:
        patient = _registered(request, form)
    except Conflict as conflict:
        if conflict.extra.get("duplicate"):
            return _page(request, form, same=_same_people(request, conflict), status=409)
        form.add_problems(conflict)
        return _page(request, form, status=409)
    except PortalError as error:
        form.add_problems(error)
        return _page(request, form, status=error.status)
    return redirect(f"{reverse('patients:show', args=[patient.pk])}?registered=1")


def _registered(request: HttpRequest, form: RegisterForm) -> Patient:
    return register_patient(
        form.details,
        by=user_of(request),
        source=Source.PORTAL,
        idempotency_key=f"form {form.cleaned_data['token']}",
        duplicate_reason=form.cleaned_data["duplicate_reason"].strip(),
    )


def _page(
    request: HttpRequest, form: RegisterForm, *, same: list[Patient] | None = None, status: int = 200
) -> HttpResponse:
    return render(request, "patients/register.html", {"form": form, "same": same or []}, status=status)


def _same_people(request: HttpRequest, conflict: Conflict) -> list[Patient]:
    """The patients that stand in the way, shown so that somebody can tell; this is a reading like any other."""
    found = list(patients_visible_to(user_of(request)).filter(pk__in=conflict.extra["patientIds"]))
    record_reading(user_of(request), [patient.pk for patient in found], action="list", door=Source.PORTAL)
    return found


def _carried(text: str) -> dict[str, Any]:
    """A first guess at the fields out of the search text: a date, a phone, or family name first."""
    initial: dict[str, Any] = {"token": uuid.uuid4().hex}
    text = " ".join(text.split())
    try:
        born = date_from(text)
    except ValueError:
        born = None
    if born:
        initial["date_of_birth"] = [str(born.day), str(born.month), str(born.year)]
    elif text and sum(c.isdigit() for c in text) > len(text) / 2:
        initial["phone"] = text
    elif text:
        family, _, given = text.replace(",", " ").partition(" ")
        initial |= {"family_name": _capitalised(family), "given_name": _capitalised(given.strip())}
    return initial


def _capitalised(name: str) -> str:
    return name.title() if name == name.lower() else name
