"""Merge two records of one person: find the other one, compare, decide; and take that back."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from portal.accounts.rules import allow, user_of
from portal.duplicates.forms import MergeForm, default_survivor, merge_field_label, merge_lines
from portal.duplicates.merge import merge_patient, refuse_to_merge, unmerge_patient
from portal.duplicates.merge_fields import MERGE_FIELDS
from portal.duplicates.services import dismiss_pair
from portal.errors import Conflict, InvalidInput, PortalError
from portal.patients.models import Patient, Source
from portal.patients.selectors import find_patients, open_patient, similar_patients
from portal.patients.validation import FIELDS
from portal.patients.views.layout import extension_tags, patient_layout

FOUND = 8


@allow("patients.merge_patient")
@require_safe
def choose(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """The other record: by MRN or whatever the search knows, or one of those who are alike."""
    user = user_of(request)
    patient = open_patient(user, patient_id, channel=Source.PORTAL)
    text = request.GET.get("q", "").strip()
    found = (
        find_patients(user, text=text, limit=FOUND + 1, channel=Source.PORTAL).hits if text else []
    )
    hits = [hit for hit in found if hit.patient.pk != patient.pk][:FOUND]
    if len(hits) == 1 and hits[0].patient.mrn == text:
        return redirect("duplicates:merge", patient.pk, hits[0].patient.pk)
    details = {name: getattr(patient, name) for name in FIELDS if name != "identifiers"}
    alike = (
        [] if text else similar_patients(user, details, channel=Source.PORTAL, seen=[patient.pk])
    )
    context = {
        **patient_layout(request, patient, tab=""),
        "text": text,
        "hits": hits,
        "alike": [(one, match) for one, match in alike if one.pk != patient.pk],
        "is_self": bool(found) and not hits,
    }
    return render(request, "duplicates/choose.html", context)


@allow("patients.merge_patient")
@require_http_methods(["GET", "POST"])
def merge(request: HttpRequest, patient_id: UUID, other_id: UUID) -> HttpResponse:
    """Both records side by side; then the survivor's page, or, where these are two people, the first one's."""
    if patient_id == other_id:
        raise InvalidInput("Choose two records: these are one and the same.")
    records = [
        open_patient(user_of(request), one, channel=Source.PORTAL, action="compare")
        for one in (patient_id, other_id)
    ]
    survivor = _survivor(request, records)
    if request.method == "GET":
        return _page(request, records, survivor, MergeForm(initial=_versions(records, survivor)))
    if request.POST.get("decision") == "apart":
        return _two_people(request, records)
    form, taken = MergeForm(request.POST), _taken(request, records, survivor)
    if not form.is_valid():
        return _page(request, records, survivor, form, taken=taken, status=422)
    try:
        merged = _merged(request, records, survivor, form, taken)
    except PortalError as error:
        return _refused(request, records, survivor, error)
    duplicate = _other(records, survivor)
    return _told(request, merged, "duplicates/merged.html", {"duplicate": duplicate})


@allow("patients.merge_patient")
@require_POST
def unmerge(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """Two records again; the page of the one that was merged says what the other one keeps."""
    parted = unmerge_patient(patient_id, by=user_of(request), source=Source.PORTAL)
    left = [
        "identifiers" if name == "identifiers" else merge_field_label(name).lower()
        for name in parted.left
    ]
    return _told(
        request,
        parted.duplicate,
        "duplicates/unmerged.html",
        {"survivor": parted.survivor, "left": left},
    )


def _survivor(request: HttpRequest, records: list[Patient]) -> Patient:
    asked = (request.POST if request.method == "POST" else request.GET).get("keep", "")
    return next((one for one in records if str(one.pk) == asked), default_survivor(*records))


def _other(records: list[Patient], survivor: Patient) -> Patient:
    return records[1] if survivor == records[0] else records[0]


def _versions(records: list[Patient], survivor: Patient) -> dict[str, int]:
    return {"version": _other(records, survivor).version, "into_version": survivor.version}


def _taken(request: HttpRequest, records: list[Patient], survivor: Patient) -> list[str]:
    duplicate = str(_other(records, survivor).pk)
    return [name for name in MERGE_FIELDS if request.POST.get(f"from_{name}") == duplicate]


def _merged(
    request: HttpRequest,
    records: list[Patient],
    survivor: Patient,
    form: MergeForm,
    taken: list[str],
) -> Patient:
    return merge_patient(
        _other(records, survivor).pk,
        into=survivor.pk,
        by=user_of(request),
        source=Source.PORTAL,
        reason=form.cleaned_data["reason"],
        take=taken,
        expected_version=form.cleaned_data["version"],
        expected_into_version=form.cleaned_data["into_version"],
    )


def _refused(
    request: HttpRequest, records: list[Patient], survivor: Patient, error: PortalError
) -> HttpResponse:
    """The page as the records are now: what was chosen may not be about them any more."""
    records = [
        open_patient(user_of(request), one.pk, channel=Source.PORTAL, action="compare")
        for one in records
    ]
    survivor = next(one for one in records if one == survivor)
    form = MergeForm({**_versions(records, survivor), "reason": request.POST.get("reason", "")})
    form.add_error(None, " ".join(one.detail for one in error.errors) or error.detail)
    return _page(request, records, survivor, form, status=error.status)


def _page(
    request: HttpRequest,
    records: list[Patient],
    survivor: Patient,
    form: MergeForm,
    *,
    taken: list[str] | None = None,
    status: int = 200,
) -> HttpResponse:
    lines = merge_lines(*records, survivor=survivor, taken=taken)
    context = {
        "records": [
            {"patient": one, "tags": extension_tags(request, one), "stays": one == survivor}
            for one in records
        ],
        "survivor": survivor,
        "duplicate": _other(records, survivor),
        "lines": lines,
        "differing": sum(line.differs for line in lines),
        "form": form,
        "stop": _stop(records, survivor),
    }
    return render(request, "duplicates/merge.html", context, status=status)


def _stop(records: list[Patient], survivor: Patient) -> str:
    """Why these two cannot be merged as they are; empty where they can."""
    try:
        refuse_to_merge(_other(records, survivor), survivor)
    except Conflict as error:
        return error.detail
    return ""


def _two_people(request: HttpRequest, records: list[Patient]) -> HttpResponse:
    one, other = records
    dismiss_pair(
        one.pk,
        other.pk,
        by=user_of(request),
        reason=request.POST.get("reason", ""),
        channel=Source.PORTAL,
    )
    messages.success(
        request,
        f"MRN {one.mrn} and MRN {other.mrn} are two people. They are not shown as alike any more.",
    )
    return redirect("patients:show", one.pk)


def _told(
    request: HttpRequest, patient: Patient, template: str, more: dict[str, Any]
) -> HttpResponse:
    messages.success(request, render_to_string(template, {"patient": patient, **more}, request))
    return redirect("patients:show", patient.pk)
