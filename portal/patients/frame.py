"""What every page of one patient shows around its own content: banner, tags and tabs."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from portal.patients.annexes import annexes, parts_for
from portal.patients.models import Patient


def frame(request: HttpRequest, patient: Patient, *, tab: str) -> dict[str, Any]:
    """The context of `patients/patient.html`; `tab` is the name of the address that is open."""
    return {"patient": patient, "tabs": _tabs(request, patient, tab), "tags": tags_of(request, patient)}


def tags_of(request: HttpRequest, patient: Patient) -> list[dict[str, Any]]:
    """Each annex's state in a word, for those who may see it; the page asks again while one is about to change."""
    parts = parts_for([patient.pk])[patient.pk]
    shown = [annex for annex in annexes() if annex.tab and request.user.has_perm(annex.tab.permission)]
    return [
        {
            "label": annex.tab.label,
            "status": (parts[annex.name] or {}).get("status", ""),
            "is_waiting": annex.tab.is_waiting(patient.pk),
        }
        for annex in shown
        if annex.tab
    ]


def _tabs(request: HttpRequest, patient: Patient, current: str) -> list[dict[str, Any]]:
    places = [("Overview", "patients:show", "patients.view_patient")]
    places += [(one.tab.label, one.tab.url_name, one.tab.permission) for one in annexes() if one.tab]
    places += [("History", "patients:history", "patients.view_history")]
    return [
        {"label": label, "url": reverse(name, args=[patient.pk]), "is_current": name == current}
        for label, name, right in places
        if request.user.has_perm(right)
    ]
