"""The pages of a merge: find the other record, compare the two, merge them, and undo the merge."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from portal.accounts.rules import allow, user_of
from portal.duplicates.forms import MergeForm, choice_label, default_survivor, merge_lines
from portal.duplicates.merge import merge_patient, refuse_to_merge, unmerge_patient
from portal.duplicates.merge_fields import MERGE_CHOICES
from portal.duplicates.selectors import MERGE_PERMISSION
from portal.duplicates.services import dismiss_pair
from portal.errors import Conflict, InvalidInput, PortalError
from portal.patients.models import Patient, Source
from portal.patients.selectors import find_patients, open_patient, similar_patients
from portal.patients.validation import FIELDS
from portal.patients.views.layout import extension_tags, patient_layout

MAX_HITS = 8  # patients that are offered for a text


@allow(MERGE_PERMISSION)
@require_safe
def choose_record(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """Lets the user choose the other record: by MRN, by search, or among possible duplicates."""
    patient = open_patient(user_of(request), patient_id, channel=Source.PORTAL)
    text = request.GET.get("q", "").strip()
    context = {**patient_layout(request, patient, tab=""), "text": text}
    if not text:
        context["similar"] = _possible_duplicates(request, patient)
        return render(request, "duplicates/choose.html", context)
    page = find_patients(user_of(request), text=text, limit=MAX_HITS + 1, channel=Source.PORTAL)
    hits = [hit for hit in page.hits if hit.patient.pk != patient.pk][:MAX_HITS]
    if len(hits) == 1 and hits[0].patient.mrn == text:
        return redirect("duplicates:merge", patient.pk, hits[0].patient.pk)
    context |= {"hits": hits, "is_itself": bool(page.hits) and not hits}
    return render(request, "duplicates/choose.html", context)


def _possible_duplicates(request: HttpRequest, patient: Patient) -> list[Any]:
    details = {name: getattr(patient, name) for name in FIELDS if name != "identifiers"}
    found = similar_patients(user_of(request), details, channel=Source.PORTAL, seen=[patient.pk])
    return [(other, match) for other, match in found if other.pk != patient.pk]


@dataclass(frozen=True)
class _Comparison:
    """Two records in their order on the page, and the one that stays."""

    first: Patient
    second: Patient
    survivor: Patient

    @property
    def records(self) -> list[Patient]:
        return [self.first, self.second]

    @property
    def duplicate(self) -> Patient:
        return self.second if self.survivor == self.first else self.first

    @property
    def versions(self) -> dict[str, int]:
        return {"version": self.duplicate.version, "into_version": self.survivor.version}

    @property
    def obstacle(self) -> str:
        """Why the two cannot be merged as they are; empty if they can."""
        try:
            refuse_to_merge(self.duplicate, self.survivor)
        except Conflict as error:
            return error.detail
        return ""


@allow(MERGE_PERMISSION)
@require_http_methods(["GET", "POST"])
def merge_records(request: HttpRequest, patient_id: UUID, other_id: UUID) -> HttpResponse:
    """Shows both records side by side, and merges them or dismisses the pair."""
    if patient_id == other_id:
        raise InvalidInput("Choose two records: these are one and the same.")
    compared = _compare(request, patient_id, other_id)
    if request.method == "GET":
        return _merge_page(request, compared, MergeForm(initial=compared.versions))
    if request.POST.get("decision") == "apart":
        return _dismiss(request, compared)
    form, taken = MergeForm(request.POST), _taken_choices(request, compared.duplicate)
    if not form.is_valid():
        return _merge_page(request, compared, form, taken=taken, status=422)
    try:
        survivor = merge_patient(
            compared.duplicate.pk,
            into=compared.survivor.pk,
            by=user_of(request),
            source=Source.PORTAL,
            reason=form.cleaned_data["reason"],
            take=taken,
            expected_version=form.cleaned_data["version"],
            expected_into_version=form.cleaned_data["into_version"],
        )
    except PortalError as error:
        return _refused_page(request, compared, error)
    context = {"duplicate": compared.duplicate}
    return _show_with_message(request, survivor, "duplicates/merged.html", context)


@allow(MERGE_PERMISSION)
@require_POST
def undo_merge(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """Unmerges a record, and shows it with a message of what the survivor keeps."""
    result = unmerge_patient(patient_id, by=user_of(request), source=Source.PORTAL)
    kept = [
        name if name == "identifiers" else choice_label(name).lower()
        for name in result.kept_by_survivor
    ]
    context = {"survivor": result.survivor, "kept": kept}
    return _show_with_message(request, result.unmerged, "duplicates/unmerged.html", context)


def _compare(
    request: HttpRequest, first_id: UUID, second_id: UUID, *, survivor_id: str = ""
) -> _Comparison:
    first, second = (
        open_patient(user_of(request), patient_id, channel=Source.PORTAL, action="compare")
        for patient_id in (first_id, second_id)
    )
    query = request.POST if request.method == "POST" else request.GET
    survivor_id = survivor_id or query.get("keep", "")
    chosen = [record for record in (first, second) if str(record.pk) == survivor_id]
    return _Comparison(first, second, chosen[0] if chosen else default_survivor(first, second))


def _taken_choices(request: HttpRequest, duplicate: Patient) -> list[str]:
    return [
        choice
        for choice in MERGE_CHOICES
        if request.POST.get(f"from_{choice}") == str(duplicate.pk)
    ]


def _refused_page(request: HttpRequest, compared: _Comparison, error: PortalError) -> HttpResponse:
    """Shows the records as they are now: what was chosen may not fit them any more."""
    now = _compare(
        request,
        compared.first.pk,
        compared.second.pk,
        survivor_id=str(compared.survivor.pk),
    )
    form = MergeForm({**now.versions, "reason": request.POST.get("reason", "")})
    details = " ".join(problem.detail for problem in error.errors)
    form.add_error(None, details or error.detail)
    return _merge_page(request, now, form, status=error.status)


def _merge_page(
    request: HttpRequest,
    compared: _Comparison,
    form: MergeForm,
    *,
    taken: list[str] | None = None,
    status: int = 200,
) -> HttpResponse:
    lines = merge_lines(compared.first, compared.second, survivor=compared.survivor, taken=taken)
    records = [
        {
            "patient": record,
            "tags": extension_tags(request, record),
            "is_survivor": record == compared.survivor,
        }
        for record in compared.records
    ]
    context = {
        "records": records,
        "survivor": compared.survivor,
        "duplicate": compared.duplicate,
        "lines": lines,
        "differing": sum(line.differs for line in lines),
        "form": form,
        "obstacle": compared.obstacle,
    }
    return render(request, "duplicates/merge.html", context, status=status)


def _dismiss(request: HttpRequest, compared: _Comparison) -> HttpResponse:
    first, second = compared.records
    reason = request.POST.get("reason", "")
    dismiss_pair(first.pk, second.pk, by=user_of(request), reason=reason, channel=Source.PORTAL)
    messages.success(
        request,
        f"MRN {first.mrn} and MRN {second.mrn} are two people. "
        "They are not shown as possible duplicates any more.",
    )
    return redirect("patients:show", first.pk)


def _show_with_message(
    request: HttpRequest, patient: Patient, template: str, context: dict[str, Any]
) -> HttpResponse:
    message = render_to_string(template, {"patient": patient, **context}, request)
    messages.success(request, message)
    return redirect("patients:show", patient.pk)
