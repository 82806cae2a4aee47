"""The form of a patient: it keeps what was typed, and asks `clean_details` what is wrong."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.conf import settings
from django.utils import timezone

from portal.errors import InvalidInput, PortalError
from portal.patients.forms.fields import DateBoxesField
from portal.patients.forms.identifiers import IdentifierRows, text
from portal.patients.matching.rules import same_identifier_reason
from portal.patients.models import Precision, Sex
from portal.patients.reference.countries import COUNTRIES, LANGUAGES, country_code
from portal.patients.reference.identifier_systems import system_name
from portal.patients.reference.postcodes import national_form
from portal.patients.validation import clean_details

OLDEST = 150


class PatientForm(IdentifierRows):
    """Names, contact and identifiers. `details` holds the cleaned ones of the fields in `wanted` (all, if None).

    `readable` holds those without a fault, also while others have one: what can be said while somebody types.
    """

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
        help_text="Such as 15 3 1984 or 15 mar 84. Leave empty what is not known.",
    )
    age_about = text("Or age in years, about", "3", inputmode="numeric")
    birth_unknown = forms.BooleanField(label="Date of birth not known", required=False)
    sex = forms.ChoiceField(
        label="Sex",
        choices=Sex.choices,
        error_messages={"required": "Choose the sex, or Unknown."},
        widget=forms.RadioSelect(attrs={"class": "nhsuk-radios--inline nhsuk-radios--small"}),
    )
    phone = text("Phone", "10", inputmode="tel")
    email = text("E-mail", inputmode="email")
    address_line1 = text("Address line 1")
    address_line2 = text("Address line 2")
    city = text("Town or city")
    region = text("State or region")
    postal_code = text("Postal code", "10")
    country = text("Country", "20", list="countries")
    language = text("Language", "20", list="languages")
    marital_status = text("Marital status", "10")
    race = text("Race", "20")
    ethnicity = text("Ethnicity", "20")
    deceased_on = DateBoxesField(label="Died on", required=False)

    def __init__(
        self, data: Mapping[str, Any] | None = None, *, initial: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(data, initial=dict(initial or {}))
        self.details: dict[str, Any] = {}
        self.readable: dict[str, Any] = {}
        self.wanted: set[str] | None = None
        self.add_rows()

    @property
    def names(self) -> Mapping[str, list[str]]:
        """What a browser may offer while one types; another spelling or a code is understood too."""
        return {"countries": [*COUNTRIES.values()], "languages": [*LANGUAGES.values()]}

    def clean(self) -> dict[str, Any]:
        given = self.cleaned_data
        self._check_birth(given)
        self.check_rows(given)
        raw = self._raw(given)
        try:
            self.details = self.readable = clean_details(raw, partial=True)
        except InvalidInput as wrong:
            self.add_problems(wrong)
            faulty = {problem.pointer for problem in wrong.errors}
            self.readable = clean_details(
                {name: raw[name] for name in raw if name not in faulty}, partial=True
            )
        return given

    def _check_birth(self, given: Mapping[str, Any]) -> None:
        if "date_of_birth" in self.errors:
            return
        born, age = given.get("date_of_birth"), given.get("age_about", "").strip()
        if age and not (age.isascii() and age.isdigit() and int(age) <= OLDEST):
            self.add_error("age_about", "Enter the age in whole years, such as 42.")
        elif age and born:
            self.add_error("age_about", "Give the date of birth or an age, not both.")
        elif not (age or born or given.get("birth_unknown")):
            self.add_error(
                "date_of_birth", "Enter the date of birth or an age, or tick that neither is known."
            )

    def _raw(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """In the words of `clean_details`, only the fields that are wanted."""
        raw = {name: given[name] for name in given if name in PLAIN}
        raw["date_of_birth"], raw["date_of_birth_precision"] = given.get(
            "date_of_birth"
        ) or self._year(given)
        raw["deceased_on"] = (given.get("deceased_on") or ("",))[0]
        raw |= (
            {"identifiers": identifiers}
            if (identifiers := self.identifiers(given)) is not None
            else {}
        )
        raw["postal_code"] = _tidied(raw.get("postal_code", ""), raw.get("country", ""))
        raw = {name: value for name, value in raw.items() if name not in self.errors}
        return (
            raw if self.wanted is None else {name: raw[name] for name in raw if name in self.wanted}
        )

    def _year(self, given: Mapping[str, Any]) -> tuple[str, str]:
        """Of an age the year of birth: what is a guess shall not look like a known day."""
        age = given.get("age_about", "").strip()
        if not age or "age_about" in self.errors:
            return "", Precision.DAY
        return f"1 1 {timezone.localdate().year - int(age)}", Precision.YEAR

    def add_problems(self, error: PortalError) -> None:
        """Put each problem beside its field; one without a field of ours stands above the form."""
        for problem in error.errors:
            name = self._taken_in(error) if problem.pointer == "identifiers" else problem.pointer
            self.add_error(name if name in self.fields else None, problem.detail)
        if not error.errors:
            self.add_error(None, error.detail)

    def _taken_in(self, error: PortalError) -> str:
        """The row that the error is about: the first of a kind that somebody else holds."""
        said = {reason for one in error.extra.get("candidates", ()) for reason in one["reasons"]}
        rows = [
            row
            for row in self.rows
            if same_identifier_reason(system_name(row.kind.value() or "")) in said
        ]
        return rows[0].value.name if rows else "identifier_value_0"


def _tidied(code: str, country: str) -> str:
    """A postal code in the form of its country, as the page said beside the field; another one as typed."""
    return national_form(code, country_code(country.strip()) or settings.DEFAULT_COUNTRY) or code


_DRAWN = ("date_of_birth", "age_about", "deceased_on", "birth_unknown")
PLAIN = frozenset(name for name in PatientForm.base_fields if name not in _DRAWN)
