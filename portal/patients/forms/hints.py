"""How a form was understood, said beside the field while one types: the age, the phone, the postal code."""

from collections.abc import Mapping
from typing import Any

import phonenumbers
from django.conf import settings
from django.utils import timezone

from portal.patients.reference.ages import age_in_words
from portal.patients.reference.countries import country_name
from portal.patients.reference.postcodes import knows_country, national_form


def echoes_of(details: Mapping[str, Any]) -> dict[str, str]:
    """Words for `age`, `phone` and `postal_code`, out of cleaned details; empty where there is nothing to say."""
    country = details.get("country") or settings.DEFAULT_COUNTRY
    return {
        "age": _age(details),
        "phone": _phone(details.get("phone") or "", details.get("phone_e164") or "", country),
        "postal_code": _postal_code(details.get("postal_code") or "", country),
    }


def _age(details: Mapping[str, Any]) -> str:
    born, precision = details.get("date_of_birth"), details.get("date_of_birth_precision") or "day"
    if born is None:
        return ""
    words = age_in_words(born, precision, until=details.get("deceased_on") or timezone.localdate())
    return f"{words}, born in {born.year} or so" if precision == "year" else words


def _phone(typed: str, number: str, country: str) -> str:
    if number:
        shown = phonenumbers.format_number(
            phonenumbers.parse(number), phonenumbers.PhoneNumberFormat.INTERNATIONAL
        )
        return f"Understood as {shown}"
    return f"Kept as typed: not a whole number of {country_name(country)}" if typed else ""


def _postal_code(typed: str, country: str) -> str:
    if not typed or not knows_country(country):
        return ""
    form = national_form(typed, country)
    if not form:
        return f"Kept as typed: not the form of {country_name(country)}"
    return f"Understood as {form}"
