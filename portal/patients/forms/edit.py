"""The form of a patient who is edited: it knows what the user saw and changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms
from django.core import signing

from portal.errors import InvalidInput
from portal.patients.forms.fields import date_in_boxes, day_in_box
from portal.patients.forms.identifiers import BLANK_ROWS
from portal.patients.forms.override import OverrideForm
from portal.patients.forms.patient import BIRTH_FIELDS, PLAIN_FIELDS, PatientForm
from portal.patients.models import Patient
from portal.patients.reference.countries import country_name, language_name

SALT = "patients.edit"


@dataclass(frozen=True)
class OpenedPatient:
    """The version and the form's values of a patient when the user opened the form."""

    version: int
    values: dict[str, Any]

    @classmethod
    def from_patient(cls, patient: Patient) -> "OpenedPatient":
        return cls(patient.version, form_values(patient))

    @classmethod
    def from_token(cls, token: str, patient_id: UUID) -> "OpenedPatient":
        """Returns what the token holds; InvalidInput if it is forged or another patient's."""
        try:
            return cls(**signing.loads(token, salt=_salt(patient_id)))
        except (signing.BadSignature, TypeError) as error:
            raise InvalidInput(
                "This form is not complete. Go back, reload the page and send it again."
            ) from error

    def token(self, patient_id: UUID) -> str:
        """Returns this as signed text, which the form carries to the next request."""
        content = {"version": self.version, "values": self.values}
        return signing.dumps(content, salt=_salt(patient_id), compress=True)


def _salt(patient_id: UUID) -> str:
    """Returns a salt of this patient, so that the form is not valid for another one."""
    return f"{SALT}.{patient_id}"


class EditForm(OverrideForm):
    """Edits a patient; its `initial` is what the user saw, and only what they changed is saved."""

    text_without_matches = (
        "If your changes make this record look like another patient, that patient is shown here."
    )
    opened = forms.CharField(widget=forms.HiddenInput)

    @property
    def changed_fields(self) -> set[str]:
        """The patient's fields that the user changed, `identifiers` as one of them."""
        changed = {name for name in self.changed_data if name in PatientForm.base_fields}
        if self.identifiers.has_changed():
            changed.add("identifiers")
        return changed

    def shows(self, values: Mapping[str, Any]) -> bool:
        """Returns whether nothing was typed yet: it shows just these values of `form_values`."""
        shown = {**self.initial, "identifiers": self.identifiers.initial}
        return not self.is_bound and all(shown.get(name) == values[name] for name in values)

    def columns_to_check(self) -> set[str]:
        """Returns the columns of the changed fields; a date of birth goes with its precision."""
        changed = self.changed_fields
        if changed & BIRTH_FIELDS:
            return changed - BIRTH_FIELDS | {"date_of_birth", "date_of_birth_precision"}
        return changed


def form_values(patient: Patient) -> dict[str, Any]:
    """Returns a stored patient as the form shows it, with lists for dates and identifiers."""
    values: dict[str, Any] = {name: getattr(patient, name).strip() for name in PLAIN_FIELDS}
    values["date_of_birth"] = date_in_boxes(patient.date_of_birth, patient.date_of_birth_precision)
    values["deceased_on"] = date_in_boxes(patient.deceased_on)
    values["birth_unknown"] = patient.date_of_birth is None
    values["country"] = country_name(patient.country)
    values["language"] = language_name(patient.language)
    values["identifiers"] = [
        {
            "system": identifier.system,
            "value": identifier.value,
            "valid_from": day_in_box(identifier.valid_from),
            "valid_to": day_in_box(identifier.valid_to),
        }
        for identifier in patient.identifiers.all()
    ]
    return values


def typed_values(form: PatientForm) -> dict[str, Any]:
    """Returns what the form shows or was sent, in the shape of `form_values`."""
    values = {name: form[name].value() for name in PatientForm.base_fields}
    rows = [{name: row[name].value() for name in row.fields} for row in form.identifiers]
    values["identifiers"] = [row for row in rows if any(row.values())]
    return values


def read_values(values: Mapping[str, Any]) -> PatientForm:
    """Returns the form as if a browser had sent these values of `form_values`, and validates it."""
    rows, prefix = values.get("identifiers", []), PatientForm.IDENTIFIERS
    data: dict[str, Any] = {
        f"{prefix}-TOTAL_FORMS": len(rows) + BLANK_ROWS,
        f"{prefix}-INITIAL_FORMS": len(rows),
    }
    data |= _as_sent({name: values[name] for name in values if name != "identifiers"})
    for at, row in enumerate(rows):
        data |= _as_sent({f"{prefix}-{at}-{name}": row[name] for name in row})
    form = PatientForm(data)
    form.is_valid()
    return form


def _as_sent(values: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the values by the names of the inputs: a date has three boxes."""
    sent: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, list):
            sent |= {f"{name}_{box}": text for box, text in enumerate(value)}
        elif value not in (None, False):
            sent[name] = value
    return sent


def read_form(form: PatientForm) -> PatientForm:
    """Returns the form with all that it shows as validated details, changed or not."""
    if not form.is_bound:
        return read_values(typed_values(form))
    shown = PatientForm(form.data)
    shown.is_valid()
    return shown
