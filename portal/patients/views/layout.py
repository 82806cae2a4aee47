"""What every page of one patient shows around its own content: banner, tags and tabs."""

from dataclasses import asdict
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from portal.patients.extensions import annexes
from portal.patients.models import Patient


def frame(request: HttpRequest, patient: Patient, *, tab: str) -> dict[str, Any]:
    """The context of `patients/patient.html`; `tab` is the name of the address that is open."""
    survivor = patient.survivor if patient.merged_into_id else None
    tabs, tags = _tabs(request, patient, tab), tags_of(request, patient)
    return {"patient": patient, "survivor": survivor, "tabs": tabs, "tags": tags}


def tags_of(request: HttpRequest, patient: Patient) -> list[dict[str, Any]]:
    """Each annex's state in a word, for those who may see it; the page asks again while one is about to change."""
    shown = [one.tab for one in annexes() if one.tab and request.user.has_perm(one.tab.permission)]
    return [{"label": tab.label, **asdict(tab.tag_of(patient.pk))} for tab in shown]


def _tabs(request: HttpRequest, patient: Patient, current: str) -> list[dict[str, Any]]:
    places = [
        ("Overview", "patients:show", "patients.view_patient"),
        ("Timeline", "patients:timeline", "patients.view_history"),
        *((one.tab.label, one.tab.url_name, one.tab.permission) for one in annexes() if one.tab),
        ("Identifiers", "patients:identifiers", "patients.view_patient"),
        ("History", "patients:history", "patients.view_history"),
        ("Access", "patients:access", "patients.view_access"),
    ]
    return [
        {"label": label, "url": reverse(name, args=[patient.pk]), "is_current": name == current}
        for label, name, right in places
        if request.user.has_perm(right)
    ]
