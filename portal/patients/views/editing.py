"""Edit a patient: only what was changed is written, and nobody's change is lost to another desk's."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.views.decorators.http import require_http_methods, require_POST

from portal.accounts.rules import allow, user_of
from portal.errors import InvalidInput, PortalError, StaleVersion
from portal.patients.forms.edit import EditForm, as_data, as_initial, as_typed, form_values
from portal.patients.forms.hints import echoes_of
from portal.patients.forms.patient import PatientForm
from portal.patients.models import Patient, Source
from portal.patients.selectors import open_patient
from portal.patients.services import archive_patient, change_patient, restore_patient
from portal.patients.views.history import tell_with_undo
from portal.patients.views.layout import frame
from portal.patients.views.similar_panel import panel_for, shown_in

SALT = "patients.edit"


@allow("patients.change_patient")
@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """The form with what is stored; then the patient's page, or both versions where two desks met."""
    patient = open_patient(user_of(request), patient_id, channel=Source.PORTAL)
    if request.method == "GET":
        return _page(request, patient, _form(patient, _stored(patient)))
    opened = _opened(request, patient_id)
    form = EditForm(request.POST)
    typed = as_typed(form)
    form.wanted = _differing(typed, opened["typed"])
    if not form.is_valid():
        return _page(request, patient, form, status=422)
    try:
        _save(request, patient_id, form, opened["version"])
    except StaleVersion:
        return _both_versions(request, patient_id, opened["typed"], typed)
    except PortalError as error:
        return _refused(request, patient, form, error)
    return redirect("patients:show", patient_id)


@allow("patients.change_patient")
@require_POST
def understood(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """Asked while one types: whom the record looks like now, and how dates, phone and postal code are understood."""
    form, opened = EditForm(request.POST), _opened(request, patient_id)
    context = _live(request, patient_id, form, opened["typed"])
    answer = render(request, "patients/live.html", {"form": form, **context})
    if context["panel"].is_unchanged:
        answer["HX-Reswap"] = "none"  # Nothing moves under the hands of somebody who is choosing.
    return answer


def _save(request: HttpRequest, patient_id: UUID, form: EditForm, version: int) -> None:
    if not form.wanted:
        return
    changed = change_patient(
        patient_id,
        form.details,
        by=user_of(request),
        source=Source.PORTAL,
        expected_version=version,
        duplicate_reason=form.reason,
        shown=shown_in(request.POST.get("shown", ""), user_of(request)),
    )
    if changed.version > version:
        tell_with_undo(request, changed, "Saved.")


def _refused(
    request: HttpRequest, patient: Patient, form: EditForm, error: PortalError
) -> HttpResponse:
    is_about_likeness = bool(error.extra.get("duplicate")) and not error.errors
    if not is_about_likeness:
        form.add_problems(error)
    return _page(request, patient, form, asks=is_about_likeness, status=error.status)


def _both_versions(
    request: HttpRequest, patient_id: UUID, opened: dict[str, Any], mine: dict[str, Any]
) -> HttpResponse:
    """Their changes stand in the form beside mine; where both changed one field, mine does."""
    patient = open_patient(user_of(request), patient_id, channel=Source.PORTAL)
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
    request: HttpRequest,
    patient: Patient,
    form: EditForm,
    *,
    rows: list[Any] | None = None,
    asks: bool = False,
    status: int = 200,
) -> HttpResponse:
    opened = _opened_in(form["opened"].value(), patient.pk)
    live = _live(request, patient.pk, form, opened["typed"])
    if asks:
        form.ask()
    context = {**frame(request, patient, tab=""), "form": form, "conflict": rows, **live}
    return render(request, "patients/edit.html", context, status=status)


def _live(
    request: HttpRequest, patient_id: UUID, form: EditForm, opened: dict[str, Any]
) -> dict[str, Any]:
    """What stands beside the fields: of all that the form shows, changed or not, against what it showed first."""
    shown, before = _read(form), _read(EditForm(initial=as_initial(opened)))
    seen = request.POST.get("shown", "")
    panel = panel_for(
        user_of(request), shown.readable, seen=seen, but_for=patient_id, before=before.readable
    )
    if panel.brings_strong and form.is_bound:
        form.forget_choice()
    return {"panel": panel, "echoes": echoes_of(shown.readable), "validities": shown.validities()}


def _read(form: EditForm) -> EditForm:
    """The same form, read as if all of it had been sent."""
    shown = EditForm(as_data(form))
    shown.is_valid()
    return shown


def _form(patient: Patient, shown: dict[str, Any]) -> EditForm:
    opened = signing.dumps(
        {"version": patient.version, "typed": _stored(patient)},
        salt=_salt(patient.pk),
        compress=True,
    )
    return EditForm(initial={**as_initial(shown), "opened": opened})


def _stored(patient: Patient) -> dict[str, Any]:
    return as_typed(PatientForm(initial=form_values(patient)))


def _opened(request: HttpRequest, patient_id: UUID) -> dict[str, Any]:
    return _opened_in(request.POST.get("opened", ""), patient_id)


def _opened_in(token: str, patient_id: UUID) -> dict[str, Any]:
    try:
        return signing.loads(token, salt=_salt(patient_id))
    except signing.BadSignature as error:
        raise InvalidInput(
            "This form is not complete. Go back, reload the page and send it again."
        ) from error


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
        return ", ".join(" ".join(filter(None, row)) for row in value)
    text = " ".join(part for part in value if part) if isinstance(value, list) else str(value)
    return text or "Not recorded"


@allow("patients.archive_patient")
@require_POST
def archive(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """Archive, and show the list with an undo."""
    version = _version(request)
    patient = archive_patient(
        patient_id, by=user_of(request), source=Source.PORTAL, expected_version=version
    )
    messages.success(
        request, render_to_string("patients/archived.html", {"patient": patient}, request)
    )
    return redirect("patients:list")


@allow("patients.archive_patient")
@require_POST
def restore(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """Back on the lists, and on the screen, with an undo."""
    patient = restore_patient(patient_id, by=user_of(request), source=Source.PORTAL)
    messages.success(
        request, render_to_string("patients/restored.html", {"patient": patient}, request)
    )
    return redirect("patients:show", patient_id)


def _version(request: HttpRequest) -> int | None:
    """The version that the person looked at; without one the newest is meant."""
    sent = request.POST.get("version", "")
    return int(sent) if sent.isdigit() else None
