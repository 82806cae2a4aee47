"""Register a patient: once, and not one who is there already unless somebody says why."""

import uuid

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.timezone import localtime
from django.views.decorators.http import require_http_methods, require_POST

from portal.accounts.rules import allow, user_of
from portal.errors import Conflict, PortalError
from portal.patients.forms.hints import echoes_of
from portal.patients.forms.register import RegisterForm, for_nobody_known
from portal.patients.models import Patient, Source
from portal.patients.search.prefill import prefill_fields
from portal.patients.services import register_patient
from portal.patients.views.similar_panel import Panel, panel_for, shown_in


@allow("patients.add_patient")
@require_http_methods(["GET", "POST"])
def register(request: HttpRequest) -> HttpResponse:
    """The empty form, with the search text that found nobody; then the new patient's page."""
    if request.method == "GET":
        initial = {"token": uuid.uuid4().hex, **prefill_fields(request.GET.get("text", ""))}
        return _page(request, RegisterForm(initial=initial))
    is_nobody_known = "unidentified" in request.POST
    form = RegisterForm(
        for_nobody_known(request.POST, at=localtime()) if is_nobody_known else request.POST
    )
    if not form.is_valid():
        return _page(request, form, status=422)
    try:
        patient = _registered(request, form)
    except Conflict as conflict:
        if not conflict.extra.get("duplicate") or conflict.errors:
            form.add_problems(conflict)
        return _page(request, form, conflict=conflict, status=409)
    except PortalError as error:
        form.add_problems(error)
        return _page(request, form, status=error.status)
    return redirect(f"{reverse('patients:show', args=[patient.pk])}?registered=1")


@allow("patients.add_patient")
@require_POST
def similar(request: HttpRequest) -> HttpResponse:
    """Asked while one types: who may be registered already, and how age, phone and postal code were understood."""
    form = RegisterForm(request.POST)
    form.is_valid()
    panel = _panel(request, form)
    context = {
        "form": form,
        "panel": panel,
        "echoes": echoes_of(form.readable),
        "validities": form.validities(),
    }
    answer = render(request, "patients/live.html", context)
    if panel.is_unchanged:
        answer["HX-Reswap"] = "none"  # Nothing moves under the hands of somebody who is choosing.
    return answer


def _registered(request: HttpRequest, form: RegisterForm) -> Patient:
    return register_patient(
        form.details,
        by=user_of(request),
        source=Source.PORTAL,
        idempotency_key=f"form {form.cleaned_data['token']}",
        duplicate_reason=form.reason,
        shown=shown_in(request.POST.get("shown", ""), user_of(request)),
        typed=form.typed,
    )


def _page(
    request: HttpRequest, form: RegisterForm, *, conflict: Conflict | None = None, status: int = 200
) -> HttpResponse:
    panel = _panel(request, form)
    if conflict and panel.asks and not form.errors:
        form.ask()
    elif conflict and not form.errors:
        form.add_error(None, conflict.detail)
    context = {
        "form": form,
        "panel": panel,
        "echoes": echoes_of(form.readable),
        "validities": form.validities(),
    }
    return render(request, "patients/register.html", context, status=status)


def _panel(request: HttpRequest, form: RegisterForm) -> Panel:
    """Who may be meant by what was typed so far. A choice holds for those it was made about."""
    panel = panel_for(user_of(request), form.readable, seen=request.POST.get("shown", ""))
    if panel.brings_strong and form.is_bound:
        form.forget_choice()
    return panel
