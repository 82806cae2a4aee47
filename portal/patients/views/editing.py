"""Edit a patient: only what was changed is written, and nobody's change is lost to another desk's."""

from typing import Any
from uuid import UUID

from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from portal.accounts.rules import allow, user_of
from portal.errors import InvalidInput, PortalError, StaleVersion
from portal.patients.echoes import echoes_of
from portal.patients.forms import EditForm, PatientForm, as_data, as_initial, as_typed, form_values
from portal.patients.models import Patient, Source
from portal.patients.record.frame import frame
from portal.patients.selectors import open_patient
from portal.patients.services import change_patient
from portal.patients.views.undoing import tell_with_undo

SALT = "patients.edit"


@allow("patients.change_patient")
@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """The form with what is stored; then the patient's page, or both versions where two desks met."""
    patient = open_patient(user_of(request), patient_id, door=Source.PORTAL)
    if request.method == "GET":
        return _page(request, patient, _form(patient, _stored(patient)))
    opened = _opened(request, patient_id)
    form = EditForm(request.POST)
    typed = as_typed(form)
    form.wanted = _differing(typed, opened["typed"])
    if not form.is_valid():
        return _page(request, patient, form, status=422)
    try:
        if form.wanted:
            version = opened["version"]
            changed = change_patient(
                patient_id, form.details, by=user_of(request), source=Source.PORTAL, expected_version=version
            )
            if changed.version > version:
                tell_with_undo(request, changed, "Saved.")
    except StaleVersion:
        return _both_versions(request, patient_id, opened["typed"], typed)
    except PortalError as error:
        form.add_problems(error)
        return _page(request, patient, form, status=error.status)
    return redirect("patients:show", patient_id)


@allow("patients.change_patient")
@require_POST
def understood(request: HttpRequest) -> HttpResponse:
    """Asked while one types: how age, phone and postal code are understood."""
    return render(request, "patients/echoes.html", {"echoes": _echoes(EditForm(request.POST))})


def _both_versions(
    request: HttpRequest, patient_id: UUID, opened: dict[str, Any], mine: dict[str, Any]
) -> HttpResponse:
    """Their changes stand in the form beside mine; where both changed one field, mine does."""
    patient = open_patient(user_of(request), patient_id, door=Source.PORTAL)
    theirs = _stored(patient)
    merged = {name: mine[name] if mine[name] != opened[name] else theirs[name] for name in theirs}
    changed = [name for name in theirs if theirs[name] != opened[name]]
    rows = [_row(name, opened[name], theirs[name], mine[name]) for name in changed]
    return _page(request, patient, _form(patient, merged), rows=rows, status=409)


def _row(name: str, before: Any, theirs: Any, mine: Any) -> dict[str, Any]:
    is_contested = mine not in (before, theirs)
    shown = {"before": _shown(before), "theirs": _shown(theirs), "mine": _shown(mine)}
    return {"label": _label(name), "is_contested": is_contested, **shown}


def _page(
    request: HttpRequest, patient: Patient, form: EditForm, *, rows: list[Any] | None = None, status: int = 200
) -> HttpResponse:
    context = {**frame(request, patient, tab=""), "form": form, "conflict": rows, "echoes": _echoes(form)}
    return render(request, "patients/edit.html", context, status=status)


def _echoes(form: EditForm) -> dict[str, str]:
    """Of all that the form shows, changed or not."""
    shown = EditForm(as_data(form))
    shown.is_valid()
    return echoes_of(shown.readable)


def _form(patient: Patient, shown: dict[str, Any]) -> EditForm:
    opened = signing.dumps(
        {"version": patient.version, "typed": _stored(patient)}, salt=_salt(patient.pk), compress=True
    )
    return EditForm(initial={**as_initial(shown), "opened": opened})


def _stored(patient: Patient) -> dict[str, Any]:
    return as_typed(PatientForm(initial=form_values(patient)))


def _opened(request: HttpRequest, patient_id: UUID) -> dict[str, Any]:
    try:
        return signing.loads(request.POST.get("opened", ""), salt=_salt(patient_id))
    except signing.BadSignature as error:
        raise InvalidInput("This form is not complete. Go back, reload the page and send it again.") from error


def _salt(patient_id: UUID) -> str:
    """A form that was opened on one patient is worth nothing at another's address."""
    return f"{SALT}.{patient_id}"


def _differing(typed: dict[str, Any], opened: dict[str, Any]) -> set[str]:
    """The fields, as `clean_details` names them, that the person changed; a date goes with its precision."""
    names = {name for name in typed if typed[name] != opened.get(name)}
    if names & {"date_of_birth", "birth_unknown"}:
        names |= {"date_of_birth", "date_of_birth_precision"}
    return names - {"birth_unknown"}


def _label(name: str) -> str:
    return "Identifiers" if name == "identifiers" else str(PatientForm.base_fields[name].label)


def _shown(value: Any) -> str:
    if value and isinstance(value, list) and isinstance(value[0], list):
        return ", ".join(" ".join(pair) for pair in value)
    text = " ".join(part for part in value if part) if isinstance(value, list) else str(value)
    return text or "Not recorded"
