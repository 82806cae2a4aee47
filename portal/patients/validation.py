"""The rules of a patient's fields: form, API, admin and imports all check by them."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from portal.errors import FieldProblem, InvalidInput
from portal.patients.columns import InvalidValue, clean_value, max_length_of, values_of
from portal.patients.dates import parse_date
from portal.patients.entered_dates import validate_past_day
from portal.patients.entered_identifiers import validate_identifiers
from portal.patients.fields import ENTERED, FIELD_OF, Kind
from portal.patients.models import Patient, Precision
from portal.patients.normalize import e164, plain_digit
from portal.patients.reference.countries import country_code, language_tag
from portal.text import has_letter
from portal.text_damage import find_typed_damage

FIELDS = (*ENTERED, "identifiers")
# Addresses that Django's longer patterns take too.
PLAIN_EMAIL = re.compile(
    r"[a-z0-9_+-]{1,64}(?:\.[a-z0-9_+-]{1,64}){0,2}@(?:[a-z0-9]{1,63}\.){1,3}[a-z]{2,63}\Z",
    re.IGNORECASE | re.ASCII,
)


def validate_details(raw: Mapping[str, Any], *, partial: bool = False) -> dict[str, Any]:
    """Returns the validated details that services take: text trimmed and in NFC, dates as dates.

    `raw` has the fields' names, and `identifiers` as a list of {"system", "value"}, each with
    "valid_from" and "valid_to" where those are to be written. With `partial` only the given fields
    are checked, and a name may be missing. InvalidInput lists every faulty field, not only the
    first.
    """
    validated: dict[str, Any] = {}
    problems = [
        FieldProblem(name, "unknown-field", "There is no such field.")
        for name in raw
        if name not in FIELDS
    ]
    for name, value in _with_precision(raw).items():
        if name in FIELDS:
            try:
                validated[name] = _validate_field(name, value)
            except InvalidValue as error:
                problems.append(FieldProblem(name, error.code, error.detail))
    faulty = {problem.pointer for problem in problems}
    problems += _problems_between_fields(validated, faulty, partial=partial)
    if problems:
        raise InvalidInput(errors=problems)
    if "phone" in validated:
        validated["phone_e164"] = e164(validated["phone"], validated.get("country", ""))
    return validated


def _with_precision(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    """Returns the fields with the first day and the precision of a month or year of birth."""
    born = raw.get("date_of_birth")
    if not isinstance(born, str) or raw.get("date_of_birth_precision") == Precision.DAY:
        return raw
    try:
        typed = parse_date(born)
    except ValueError:
        return raw
    if typed is None or typed.precision == Precision.DAY:
        return raw
    is_year = Precision.YEAR in (typed.precision, raw.get("date_of_birth_precision"))
    precision = Precision.YEAR if is_year else Precision.MONTH
    return {**raw, "date_of_birth": typed.first, "date_of_birth_precision": precision}


def _validate_field(name: str, value: Any) -> Any:
    if name == "identifiers":
        return validate_identifiers(value)
    match FIELD_OF[name].kind:
        case Kind.DATE:
            return validate_past_day(name, value)
        case Kind.CHOICE:
            return _validate_choice(name, value)
        case _:
            return _validate_text(name, value)


def _validate_text(name: str, value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise InvalidValue("not-text", "Give text.")
    return _validated(name, value)


@lru_cache(maxsize=20_000)  # In an import, names and cities come again and again.
def _validated(name: str, value: str) -> str:
    text = clean_value(value)
    text = _validate_kind(FIELD_OF[name].kind, text)
    limit = max_length_of(Patient, name)
    if len(text) > limit:
        raise InvalidValue("too-long", f"Use at most {limit} characters; this has {len(text)}.")
    if damage := find_typed_damage(name, text):
        raise InvalidValue("damaged-text", damage)
    return text


def _validate_kind(kind: Kind, text: str) -> str:
    match kind:
        case Kind.EMAIL:
            return _validate_email(text)
        case Kind.COUNTRY:
            return _validate_country(text)
        case Kind.PHONE:
            return _validate_phone(text)
        case Kind.LANGUAGE:
            return language_tag(text)
        case _:
            return text


def _validate_email(text: str) -> str:
    try:
        if text and not PLAIN_EMAIL.match(text):
            validate_email(text)
    except ValidationError as error:
        message = "Enter an e-mail address in the form name@example.com."
        raise InvalidValue("bad-email", message) from error
    return text


def _validate_country(text: str) -> str:
    code = country_code(text)
    if text and not code:
        message = "Give the country by its name or its two letters (ISO 3166-1): Germany or DE."
        raise InvalidValue("bad-country", message)
    return code


def _validate_phone(text: str) -> str:
    if not text.isascii():
        text = "".join(map(plain_digit, text))
    if text and sum(character.isdecimal() for character in text) < 3:
        message = "Enter a phone number with its digits, such as 020 7946 0000."
        raise InvalidValue("bad-phone", message)
    return text


def _validate_choice(name: str, value: Any) -> str:
    choices = values_of(name)
    text = str(value or "").strip().lower()
    if text not in choices:
        raise InvalidValue("not-a-choice", f"Choose one of {', '.join(choices)}.")
    return text


def _problems_between_fields(
    validated: Mapping[str, Any], faulty: set[str], *, partial: bool
) -> list[FieldProblem]:
    """Returns the problems that only several fields together show."""
    problems = []
    if _lacks_name(validated, faulty, partial=partial):
        message = "Enter a family name or a given name."
        problems.append(FieldProblem("family_name", "required", message))
    born, died = validated.get("date_of_birth"), validated.get("deceased_on")
    if born and died and died < born:
        message = "The date of death is before the date of birth."
        problems.append(FieldProblem("deceased_on", "before-birth", message))
    return problems


def _lacks_name(validated: Mapping[str, Any], faulty: set[str], *, partial: bool) -> bool:
    names = {"family_name", "given_name"}
    if faulty & names or any(has_letter(validated.get(name) or "") for name in names):
        return False
    return not partial or names <= validated.keys()
