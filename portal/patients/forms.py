"""The form of a patient: it keeps what was typed, and asks `clean_details` what is wrong."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.conf import settings

from portal.errors import InvalidInput, PortalError
from portal.patients.dates import DateBoxesField, boxes_of
from portal.patients.details import clean_details
from portal.patients.models import Patient, Sex
from portal.patients.systems import SYSTEMS

ADDRESS = ("address_line1", "address_line2", "city", "region", "postal_code")
BLANK_ROWS = 1


def text(label: str, width: str = "", **attrs: str) -> forms.CharField:
    """A line of text. Staff type other people's details here, so the browser offers nobody's."""
    css = f"nhsuk-input--width-{width}" if width else ""
    attrs = {"autocomplete": "off", "spellcheck": "false", "class": css, **attrs}
    return forms.CharField(label=label, required=False, widget=forms.TextInput(attrs=attrs))


class PatientForm(forms.Form):
    """Names, contact and identifiers. `details` holds the cleaned ones of the fields in `wanted` (all, if None)."""

    use_required_attribute = False

    family_name = text("Family name")
    given_name = text("Given name")
    middle_name = text("Middle names")
    preferred_name = text("Likes to be called")
    prefix = text("Title", "5")  # type: ignore[assignment]  # The form keeps its own `prefix`: fields are taken out of the class.
    suffix = text("Suffix", "5")
    date_of_birth = DateBoxesField(
        label="Date of birth",
        required=False,
        help_text="Such as 15 3 1984 or 15 mar 84. Leave the day, or day and month, empty if they are not known.",
    )
    birth_unknown = forms.BooleanField(label="The date of birth is not known", required=False)
    sex = forms.ChoiceField(
        label="Sex",
        choices=Sex.choices,
        error_messages={"required": "Choose the sex, or Unknown."},
        widget=forms.RadioSelect(attrs={"class": "nhsuk-radios--inline nhsuk-radios--small"}),
    )
    phone = text("Phone", "20", inputmode="tel")
    email = text("E-mail", inputmode="email")
    address_line1 = text("Address line 1")
    address_line2 = text("Address line 2")
    city = text("Town or city")
    region = text("State or region")
    postal_code = text("Postal code", "10")
    country = text("Country (two letters)", "2")
    language = text("Language", "10")
    marital_status = text("Marital status", "10")
    race = text("Race", "20")
    ethnicity = text("Ethnicity", "20")
    deceased_on = DateBoxesField(label="Died on", required=False)

    def __init__(self, data: Mapping[str, Any] | None = None, *, initial: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, initial=dict(initial or {}))
        self.details: dict[str, Any] = {}
        self.wanted: set[str] | None = None
        for row in range(self._row_count()):
            self._add_row(row)

    def _row_count(self) -> int:
        if self.is_bound:
            return sum(name.startswith("identifier_value_") for name in self.data)
        return sum(name.startswith("identifier_value_") for name in self.initial) + BLANK_ROWS

    def _add_row(self, row: int) -> None:
        """A system that is none of ours (an import's URI) stays choosable on the row that has it."""
        name = f"identifier_system_{row}"
        there = self.data.get(name) or self.initial.get(name) or ""
        choices = {"": "Choose", **SYSTEMS, **({there: SYSTEMS.get(there, there)} if there else {})}
        number = "" if row == 0 else f" {row + 1}"
        self.fields[name] = forms.ChoiceField(
            label=f"Kind of identifier{number}", choices=[*choices.items()], required=False
        )
        self.fields[f"identifier_value_{row}"] = text(f"Identifier{number}")

    @property
    def rows(self) -> list[tuple[forms.BoundField, forms.BoundField]]:
        """The identifiers' fields, two and two."""
        count = sum(name.startswith("identifier_value_") for name in self.fields)
        return [(self[f"identifier_system_{row}"], self[f"identifier_value_{row}"]) for row in range(count)]

    def clean(self) -> dict[str, Any]:
        given = self.cleaned_data
        if not given.get("date_of_birth") and not given.get("birth_unknown") and "date_of_birth" not in self.errors:
            self.add_error("date_of_birth", "Enter the date of birth, or tick that it is not known.")
        raw = self._raw(given)
        try:
            self.details = clean_details(raw, partial=True)
        except InvalidInput as wrong:
            self.add_problems(wrong)
        return given

    def _raw(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """In the words of `clean_details`, only the fields that are wanted."""
        raw = {name: given[name] for name in given if name in _PLAIN}
        born = given.get("date_of_birth") or ("", "day")
        raw["date_of_birth"], raw["date_of_birth_precision"] = born
        raw["deceased_on"] = (given.get("deceased_on") or ("",))[0]
        raw["identifiers"] = self._identifiers(given)
        raw = {name: value for name, value in raw.items() if name not in self.errors}
        return raw if self.wanted is None else {name: raw[name] for name in raw if name in self.wanted}

    def _identifiers(self, given: Mapping[str, Any]) -> list[dict[str, str]]:
        pairs = [(given.get(kind.name, ""), given.get(value.name, "")) for kind, value in self.rows]
        return [{"system": system, "value": value} for system, value in pairs if system or value]

    def add_problems(self, error: PortalError) -> None:
        """Put each problem beside its field; one without a field of ours stands above the form."""
        for problem in error.errors:
            name = {"identifiers": "identifier_value_0"}.get(problem.pointer, problem.pointer)
            self.add_error(name if name in self.fields else None, problem.detail)
        if not error.errors:
            self.add_error(None, error.detail)


_DRAWN = ("date_of_birth", "deceased_on", "birth_unknown")
_PLAIN = frozenset(name for name in PatientForm.base_fields if name not in _DRAWN)


class RegisterForm(PatientForm):
    """Once only: the token makes a second press of Save the same registration."""

    token = forms.CharField(max_length=64, widget=forms.HiddenInput)
    duplicate_reason = forms.CharField(
        label="Why this is another person",
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text="For example: twins, or father and son of one name. It is kept with the record.",
    )

    def __init__(self, data: Mapping[str, Any] | None = None, *, initial: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, initial=initial)
        self.fields["country"].help_text = f"Empty means {settings.DEFAULT_COUNTRY}."
        if not self.is_bound:
            self.fields["family_name"].widget.attrs["autofocus"] = True

    def _raw(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """An address without a country is one of ours; a country alone is no address."""
        raw = super()._raw(given)
        if not raw.get("country") and any(raw.get(name) for name in ADDRESS):
            raw["country"] = settings.DEFAULT_COUNTRY
        return raw


class EditForm(PatientForm):
    """Carries what the person saw when they opened it, so that only what they changed is written."""

    opened = forms.CharField(widget=forms.HiddenInput)


def as_typed(form: PatientForm) -> dict[str, Any]:
    """What the form shows or was sent, comparable between two of them; identifiers as one list of pairs."""
    typed = {name: _trimmed(form[name].value()) for name in PatientForm.base_fields}
    typed["identifiers"] = [
        [_trimmed(kind.value()), _trimmed(number.value())] for kind, number in form.rows if number.value()
    ]
    return typed


def as_initial(typed: Mapping[str, Any]) -> dict[str, Any]:
    """The way back: `initial` of a form that shows what was typed."""
    initial = {name: value for name, value in typed.items() if name != "identifiers"}
    for row, (kind, number) in enumerate(typed["identifiers"]):
        initial |= {f"identifier_system_{row}": kind, f"identifier_value_{row}": number}
    return initial


def _trimmed(value: Any) -> Any:
    if isinstance(value, list):
        return [_trimmed(part) for part in value]
    return value.strip() if isinstance(value, str) else value or ""


def form_values(patient: Patient) -> dict[str, Any]:
    """A stored patient as the form shows it."""
    values: dict[str, Any] = {name: getattr(patient, name) for name in _PLAIN}
    values["date_of_birth"] = boxes_of(patient.date_of_birth, patient.date_of_birth_precision)
    values["deceased_on"] = boxes_of(patient.deceased_on)
    values["birth_unknown"] = patient.date_of_birth is None
    for row, identifier in enumerate(patient.identifiers.all()):
        values[f"identifier_system_{row}"] = identifier.system
        values[f"identifier_value_{row}"] = identifier.value
    return values
