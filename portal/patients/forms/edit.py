"""The one choice about those who may be the same person: the form asks it, and keeps it only for whom it was made."""

from collections.abc import Mapping
from typing import Any

from django import forms

from portal.patients.forms.fields import boxes_of, day_in_box
from portal.patients.forms.identifiers import PARTS
from portal.patients.forms.patient import PLAIN, PatientForm
from portal.patients.models import Patient
from portal.patients.reference.countries import country_name, language_name

REASONS = {
    "relative": "Twin, brother or sister",
    "namesake": "Parent and child of one name",
    "papers": "Papers checked: another person",
    "other": "Another reason",
}


class ChoosingForm(PatientForm):
    """`reason` is the choice in words, for the log."""

    while_nobody = "Patients who may be this person are shown here while you type."
    another = forms.ChoiceField(
        label="None of these. It is another person, because:",
        choices=[*REASONS.items()],
        required=False,
        widget=forms.RadioSelect(attrs={"class": "nhsuk-radios--small"}),
    )
    other_reason = forms.CharField(
        label="Which other reason",
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    @property
    def reason(self) -> str:
        """Why it is another person than those shown; empty where nobody chose."""
        chosen, words = (
            self.cleaned_data.get("another", ""),
            self.cleaned_data.get("other_reason", "").strip(),
        )
        return words if words and chosen in ("", "other") else REASONS.get(chosen, "")

    def clean(self) -> dict[str, Any]:
        given = super().clean()
        if given.get("another") == "other" and not given.get("other_reason", "").strip():
            self.add_error("other_reason", "Say the other reason in a few words.")
        return given

    def forget_choice(self) -> None:
        """It was made about others than those who are shown now."""
        self.data = {
            name: value
            for name, value in self.data.items()
            if name not in ("another", "other_reason")
        }

    def ask(self) -> None:
        """Say that nothing is saved before somebody has chosen."""
        self.add_error(
            "another", "Open the patient who is here already, or choose why this is another person."
        )


class EditForm(ChoosingForm):
    """Carries what the person saw when they opened it, so that only what they changed is written."""

    while_nobody = (
        "If your changes make this record look like another patient, that patient is shown here."
    )
    opened = forms.CharField(widget=forms.HiddenInput)


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
        initial |= {
            f"identifier_{part}_{row}": text for part, text in zip(PARTS, texts, strict=False)
        }
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
    values["country"], values["language"] = (
        country_name(patient.country),
        language_name(patient.language),
    )
    for row, identifier in enumerate(patient.identifiers.all()):
        values[f"identifier_system_{row}"] = identifier.system
        values[f"identifier_value_{row}"] = identifier.value
        values[f"identifier_from_{row}"] = day_in_box(identifier.valid_from)
        values[f"identifier_to_{row}"] = day_in_box(identifier.valid_to)
    return values
