"""What a form shows or was sent: comparable between two forms, and back into a form."""

from collections.abc import Mapping
from typing import Any

from portal.patients.codes import country_name, language_name
from portal.patients.dates import boxes_of, day_in_box
from portal.patients.forms import PLAIN, PatientForm
from portal.patients.models import Patient
from portal.patients.rows import PARTS


def as_typed(form: PatientForm) -> dict[str, Any]:
    """What the form shows or was sent, comparable between two of them; identifiers as one list of rows."""
    typed = {name: _trimmed(form[name].value()) for name in PatientForm.base_fields}
    rows = [[_trimmed(field.value()) for field in row] for row in form.rows]
    typed["identifiers"] = [row for row in rows if any(row)]
    return typed


def as_initial(typed: Mapping[str, Any]) -> dict[str, Any]:
    """The way back: `initial` of a form that shows what was typed."""
    initial = {name: value for name, value in typed.items() if name != "identifiers"}
    for row, texts in enumerate(typed["identifiers"]):
        initial |= {f"identifier_{part}_{row}": text for part, text in zip(PARTS, texts, strict=False)}
    return initial


def as_data(form: PatientForm) -> dict[str, Any]:
    """What the form shows as a browser would send it; a date box by box."""
    sent: dict[str, Any] = {}
    for field in form:
        value = field.value()
        if isinstance(value, list | tuple):
            sent |= {f"{field.html_name}_{box}": part for box, part in enumerate(value)}
        elif value not in (None, False):
            sent[field.html_name] = value
    return sent


def _trimmed(value: Any) -> Any:
    if isinstance(value, list):
        return [_trimmed(part) for part in value]
    return value.strip() if isinstance(value, str) else value or ""


def form_values(patient: Patient) -> dict[str, Any]:
    """A stored patient as the form shows it."""
    values: dict[str, Any] = {name: getattr(patient, name) for name in PLAIN}
    values["date_of_birth"] = boxes_of(patient.date_of_birth, patient.date_of_birth_precision)
    values["deceased_on"] = boxes_of(patient.deceased_on)
    values["birth_unknown"] = patient.date_of_birth is None
    values["country"], values["language"] = country_name(patient.country), language_name(patient.language)
    for row, identifier in enumerate(patient.identifiers.all()):
        values[f"identifier_system_{row}"] = identifier.system
        values[f"identifier_value_{row}"] = identifier.value
        values[f"identifier_from_{row}"] = day_in_box(identifier.valid_from)
        values[f"identifier_to_{row}"] = day_in_box(identifier.valid_to)
    return values
