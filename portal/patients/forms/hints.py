"""Hints beside the fields: how dates, phone and postal code are understood while the user types."""

from collections.abc import Mapping
from typing import Any

import phonenumbers
from django.conf import settings
from django.utils import timezone

from portal.patients.dates import date_in_words
from portal.patients.forms.patient import PatientForm
from portal.patients.reference.ages import age_in_words
from portal.patients.reference.countries import country_name
from portal.patients.reference.postcodes import knows_country, national_form


def hints_context(form: PatientForm, read: PatientForm) -> dict[str, Any]:
    """Returns what a template needs for the hints of `form`, of which `read` is the validated copy.

    `identifier_rows` pairs each row of the form with the hint about its days.
    """
    validity_hints = [row.validity_hint for row in read.identifiers]
    return {
        "hints": field_hints(read.readable_details),
        "identifier_rows": [*zip(form.identifiers, validity_hints, strict=True)],
    }


def field_hints(details: Mapping[str, Any]) -> dict[str, str]:
    """Returns words for the dates, `phone` and `postal_code` of validated details.

    A text is empty where there is nothing to say.
    """
    country = details.get("country") or settings.DEFAULT_COUNTRY
    return {
        "birth": _birth_hint(details),
        "death": date_in_words(died) if (died := details.get("deceased_on")) else "",
        "phone": _phone_hint(details.get("phone") or "", details.get("phone_e164") or "", country),
        "postal_code": _postal_code_hint(details.get("postal_code") or "", country),
    }


def _birth_hint(details: Mapping[str, Any]) -> str:
    """Returns the date in words and the age: `4 March 1984, 42 years`."""
    born, precision = details.get("date_of_birth"), details.get("date_of_birth_precision") or "day"
    if born is None:
        return ""
    age = age_in_words(born, precision, until=details.get("deceased_on") or timezone.localdate())
    if precision == "year":
        return f"{age}, born in {born.year} or so"
    return f"{date_in_words(born, precision)}, {age}"


def _phone_hint(typed: str, number: str, country: str) -> str:
    if number:
        shown = phonenumbers.format_number(
            phonenumbers.parse(number), phonenumbers.PhoneNumberFormat.INTERNATIONAL
        )
        return f"Understood as {shown}"
    return f"Kept as typed: not a whole number of {country_name(country)}" if typed else ""


def _postal_code_hint(typed: str, country: str) -> str:
    if not typed or not knows_country(country):
        return ""
    form = national_form(typed, country)
    if not form:
        return f"Kept as typed: not the form of {country_name(country)}"
    return f"Understood as {form}"
