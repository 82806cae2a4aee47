"""The form of a patient: it keeps what was typed, and `validate_details` checks it."""

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

from django import forms
from django.conf import settings
from django.forms.utils import ErrorDict
from django.utils import timezone

from portal.errors import InvalidInput, PortalError
from portal.patients.dates import date_example
from portal.patients.forms.fields import DateBoxesField, column_field, column_label, text_field
from portal.patients.forms.identifiers import IdentifierForm, IdentifierFormSet
from portal.patients.matching.rules import same_identifier_reason
from portal.patients.models import Precision, Sex
from portal.patients.reference.countries import COUNTRIES, LANGUAGES, country_code
from portal.patients.reference.identifier_systems import system_name
from portal.patients.reference.postcodes import national_form
from portal.patients.validation import validate_details

OLDEST = 150  # years; a higher age is a slip


class PatientForm(forms.Form):
    """Names, contact and identifiers of a patient.

    After validation, `details` holds the validated details of the columns that
    `columns_to_check` names. `readable_details` holds those without a fault, also while others
    have one: the page shows how they are understood while the user types.
    """

    IDENTIFIERS = "identifiers"  # The prefix of the inputs of their rows.
    use_required_attribute = False
    datalists: Mapping[str, list[str]] = {
        "countries": [*COUNTRIES.values()],
        "languages": [*LANGUAGES.values()],
    }

    family_name = column_field("family_name")
    given_name = column_field("given_name")
    middle_name = column_field("middle_name")
    preferred_name = column_field("preferred_name")
    # Django takes fields out of the class, so that the form keeps its own attribute `prefix`.
    prefix = column_field("prefix", width="5")  # type: ignore[assignment]  # see the line above
    suffix = column_field("suffix", width="5")
    date_of_birth = DateBoxesField(
        label=column_label("date_of_birth"),
        may_be_partial=True,
        required=False,
    )
    age_about = text_field("Or age in years, about", width="3", inputmode="numeric")
    birth_unknown = forms.BooleanField(label="Date of birth not known", required=False)
    sex = forms.ChoiceField(
        label=column_label("sex"),
        choices=Sex.choices,
        error_messages={"required": "Choose the sex, or Unknown."},
        widget=forms.RadioSelect(attrs={"class": "nhsuk-radios--inline nhsuk-radios--small"}),
    )
    phone = column_field("phone", width="10", inputmode="tel")
    email = column_field("email", inputmode="email")
    address_line1 = column_field("address_line1")
    address_line2 = column_field("address_line2")
    city = column_field("city")
    region = column_field("region")
    postal_code = column_field("postal_code", width="10")
    country = column_field("country", width="20", list="countries")
    language = column_field("language", width="20", list="languages")
    marital_status = column_field("marital_status", width="10")
    race = column_field("race", width="20")
    ethnicity = column_field("ethnicity", width="20")
    deceased_on = DateBoxesField(
        label=column_label("deceased_on"), may_be_partial=False, required=False
    )

    def __init__(
        self, data: Mapping[str, Any] | None = None, *, initial: Mapping[str, Any] | None = None
    ) -> None:
        values = dict(initial or {})
        rows = values.pop("identifiers", [])
        super().__init__(data, initial=values)
        example = f"Such as {date_example()} or 15 mar 84."
        self.fields["date_of_birth"].help_text = f"{example} Leave empty what is not known."
        self.identifiers = IdentifierFormSet(data, initial=rows, prefix=self.IDENTIFIERS)
        self.details: dict[str, Any] = {}
        self.readable_details: dict[str, Any] = {}

    @property
    def errors(self) -> ErrorDict:
        """The errors by the names of the inputs, those of the identifiers included."""
        errors = super().errors
        rows_at_fault = [row for row in self.identifiers if row.errors]
        if not rows_at_fault:
            return errors
        errors = ErrorDict({**errors})
        for row in rows_at_fault:
            for name, messages in row.errors.items():
                errors[row.add_prefix(name)] = messages
        return errors

    def columns_to_check(self) -> Collection[str] | None:
        """Returns the columns that `details` are to have; None for all."""
        return None

    def clean(self) -> dict[str, Any]:
        given = self.cleaned_data
        for message in self.identifiers.non_form_errors():
            self.add_error(None, message)
        self._check_birth(given)
        raw = self._raw_details(given)
        try:
            self.details = self.readable_details = validate_details(raw, partial=True)
        except InvalidInput as invalid:
            self.add_problems(invalid)
            for problem in invalid.errors:
                raw.pop(problem.pointer, None)
            self.readable_details = validate_details(raw, partial=True)
        return given

    def _check_birth(self, given: Mapping[str, Any]) -> None:
        born, age = given.get("date_of_birth"), given.get("age_about", "").strip()
        if age and not _is_age(age):
            self.add_error("age_about", "Enter the age in whole years, such as 42.")
        if {"date_of_birth", "age_about"} & self.errors.keys():
            return
        if age and born:
            self.add_error("age_about", "Give the date of birth or an age, not both.")
        elif not (age or born or given.get("birth_unknown")):
            self.add_error(
                "date_of_birth", "Enter the date of birth or an age, or tick that neither is known."
            )

    def _raw_details(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Returns what `validate_details` is to check: the fields without an error of their own."""
        raw = {name: given[name] for name in given if name in PLAIN_FIELDS}
        birth = given.get("date_of_birth") or self._birth_by_age(given)
        raw["date_of_birth"], raw["date_of_birth_precision"] = birth
        raw["deceased_on"], _ = given.get("deceased_on") or (None, Precision.DAY)
        raw["postal_code"] = _postal_code(raw.get("postal_code", ""), raw.get("country", ""))
        if self.identifiers.is_valid():
            raw["identifiers"] = self.identifiers.identifiers()
        columns = self.columns_to_check()
        for name in [*raw]:
            if name in self.errors or (columns is not None and name not in columns):
                del raw[name]
        return raw

    def _birth_by_age(self, given: Mapping[str, Any]) -> tuple[date | None, str]:
        """Returns the year of birth alone, so that a guess does not look like a known day."""
        age = given.get("age_about", "").strip()
        if not age or "age_about" in self.errors:
            return None, Precision.DAY
        return date(timezone.localdate().year - int(age), 1, 1), Precision.YEAR

    def add_problems(self, error: PortalError) -> None:
        """Puts each problem beside its field, and one without a field of ours above the form."""
        for problem in error.errors:
            row = self._row_at_fault(error) if problem.pointer == "identifiers" else None
            if row is not None:
                row.add_error("value", problem.detail)
            else:
                name = problem.pointer if problem.pointer in self.fields else None
                self.add_error(name, problem.detail)
        if not error.errors:
            self.add_error(None, error.detail)

    def _row_at_fault(self, error: PortalError) -> IdentifierForm | None:
        """Returns the first row of a kind that another patient has, else the first row."""
        reasons: set[str] = set()
        for candidate in error.extra.get("candidates", ()):
            reasons.update(candidate["reasons"])
        for row in self.identifiers:
            if same_identifier_reason(system_name(row["system"].value() or "")) in reasons:
                return row
        return self.identifiers[0] if len(self.identifiers) else None


def _is_age(text: str) -> bool:
    is_number = text.isascii() and text.isdigit() and len(text) <= len(str(OLDEST))
    return is_number and int(text) <= OLDEST


def _postal_code(code: str, country: str) -> str:
    """Returns the code in the form of its country, as the hint shows it, or else as typed."""
    return national_form(code, country_code(country.strip()) or settings.DEFAULT_COUNTRY) or code


BIRTH_FIELDS = frozenset({"date_of_birth", "age_about", "birth_unknown"})
# The fields that hold the text of one column of the same name.
PLAIN_FIELDS = frozenset(PatientForm.base_fields) - BIRTH_FIELDS - {"deceased_on"}
