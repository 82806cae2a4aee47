"""What every page of one patient shows around its content: banner, tags, tabs and messages."""

from dataclasses import asdict
from typing import Any

from django.contrib import messages
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse

from portal.errors import InvalidInput
from portal.pagination import row_id
from portal.patients.extensions import Tab, extensions
from portal.patients.models import Patient


def patient_layout(request: HttpRequest, patient: Patient, *, tab: str) -> dict[str, Any]:
    """Returns the context of `patients/patient.html`; `tab` is the URL name of the open tab."""
    return {
        "patient": patient,
        "survivor": patient.survivor if patient.merged_into_id else None,
        "tabs": _tabs(request, patient, tab),
        "tags": extension_tags(request, patient),
    }


def extension_tags(request: HttpRequest, patient: Patient) -> list[dict[str, Any]]:
    """Returns the state of each extension that the user may see; the page polls a pending one."""
    tabs = _extension_tabs(request)
    return [{"label": tab.label, **asdict(tab.tag_of(patient.pk))} for tab in tabs]


def _tabs(request: HttpRequest, patient: Patient, current: str) -> list[dict[str, Any]]:
    tabs = [
        ("Overview", "patients:show", "patients.view_patient"),
        ("Timeline", "patients:timeline", "patients.view_history"),
        *((tab.label, tab.url_name, tab.permission) for tab in _extension_tabs(request)),
        ("Identifiers", "patients:identifiers", "patients.view_patient"),
        ("History", "patients:history", "patients.view_history"),
        ("Access", "patients:access", "patients.view_access"),
    ]
    return [
        {"label": label, "url": reverse(name, args=[patient.pk]), "is_current": name == current}
        for label, name, permission in tabs
        if request.user.has_perm(permission)
    ]


def _extension_tabs(request: HttpRequest) -> list[Tab]:
    tabs = [extension.tab for extension in extensions() if extension.tab]
    return [tab for tab in tabs if request.user.has_perm(tab.permission)]


def add_undo_message(request: HttpRequest, patient: Patient, text: str) -> None:
    """Shows `text` on the next page, with a button that undoes the patient's last change."""
    context = {"patient": patient, "text": text}
    messages.success(request, render_to_string("patients/saved_message.html", context, request))


def sent_version(request: HttpRequest) -> int | None:
    """Returns the version in a button's form, None where it sends none. InvalidInput."""
    text = request.POST.get("version", "")
    try:
        return row_id(text) if text else None
    except ValueError as error:
        raise incomplete_form() from error


def incomplete_form() -> InvalidInput:
    """Returns the error for a button's form that is not as the page had it."""
    return InvalidInput("This form is not complete. Go back, reload the page and press again.")
