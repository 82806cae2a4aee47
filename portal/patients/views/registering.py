"""Register a patient; one who looks like a patient who is here already needs an override reason."""

import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.timezone import localtime
from django.views.decorators.http import require_http_methods, require_POST

from portal.accounts.rules import allow, user_of
from portal.errors import Conflict, KeyUsed, PortalError
from portal.patients.forms.hints import hints_context
from portal.patients.forms.register import RegisterForm, unidentified_data
from portal.patients.models import Patient, Source
from portal.patients.search.prefill import prefill_fields
from portal.patients.services import register_patient
from portal.patients.views.similar_panel import keep_panel_if_unchanged, panel_for, shown_in


@allow("patients.add_patient")
@require_http_methods(["GET", "POST"])
def register(request: HttpRequest) -> HttpResponse:
    """Shows the form, filled from a search text that found nobody; registers the patient."""
    if request.method == "GET":
        initial = {"token": uuid.uuid4().hex, **prefill_fields(request.GET.get("text", ""))}
        return _render_form(request, RegisterForm(initial=initial))
    is_unidentified = "unidentified" in request.POST
    data = unidentified_data(request.POST, at=localtime()) if is_unidentified else request.POST
    form = RegisterForm(data)
    if not form.is_valid():
        return _render_form(request, form, status=422)
    try:
        patient = _register_once(request, form)
    except Conflict as conflict:
        if not conflict.extra.get("duplicate") or conflict.errors:
            form.add_problems(conflict)
        return _render_form(request, form, conflict=conflict, status=409)
    except PortalError as error:
        form.add_problems(error)
        return _render_form(request, form, status=error.status)
    return redirect(f"{reverse('patients:show', args=[patient.pk])}?registered=1")


def _register_once(request: HttpRequest, form: RegisterForm) -> Patient:
    """Registers what the form holds, or returns the patient of its first sending.

    A form that comes back by the browser's Back with other details is about another person: it is
    compared with all patients, the one of its first sending among them.
    """
    try:
        return _register(request, form)
    except KeyUsed:
        form.take_new_token()
        return _register(request, form)


def _register(request: HttpRequest, form: RegisterForm) -> Patient:
    return register_patient(
        form.details,
        by=user_of(request),
        source=Source.PORTAL,
        idempotency_key=f"form {form.cleaned_data['token']}",
        override_reason=form.reason_text,
        shown=shown_in(request.POST.get("shown", ""), user_of(request)),
        typed=form.details_for_idempotency,
    )


def _render_form(
    request: HttpRequest, form: RegisterForm, *, conflict: Conflict | None = None, status: int = 200
) -> HttpResponse:
    context = _similar_context(request, form)
    if conflict and not form.errors:
        if context["panel"].needs_override_reason:
            form.ask_for_override_reason()
        else:
            form.add_error(None, conflict.detail)
    return render(request, "patients/register.html", context, status=status)


@allow("patients.add_patient")
@require_POST
def similar(request: HttpRequest) -> HttpResponse:
    """Shows who may be registered already, and the hints, while the user types."""
    form = RegisterForm(request.POST)
    form.is_valid()
    context = _similar_context(request, form)
    response = render(request, "patients/similar_update.html", context)
    return keep_panel_if_unchanged(response, context["panel"])


def _similar_context(request: HttpRequest, form: RegisterForm) -> dict[str, Any]:
    """Returns the form with its hints, and the panel of patients who may be meant."""
    seen = request.POST.get("shown", "")
    panel = panel_for(user_of(request), form.readable_details, seen=seen)
    if panel.has_new_strong_match and form.is_bound:
        form.forget_override_reason()
    return {"form": form, "panel": panel, **hints_context(form, form)}
