"""The one check of a patient's details: the form, the API and the imports all ask here."""

import unicodedata
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, cast

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import CharField, Model
from django.utils import timezone

from portal.errors import FieldProblem, InvalidInput
from portal.patients.fields import ENTERED, FIELD_OF, Kind
from portal.patients.models import Patient, PatientIdentifier, Precision, Sex
from portal.patients.normalize import date_from, e164, identifier_value
from portal.patients.reference.countries import country_code, language_tag

_CHOICES = {"sex": Sex, "date_of_birth_precision": Precision}
FIELDS = (*ENTERED, "identifiers")
VALIDITY = ("valid_from", "valid_to")
EARLIEST = date(1850, 1, 1)
AHEAD = 30  # Years: a passport that ends in 31 does not end in 1931.
ENDS_BEFORE_IT_BEGINS = "Valid to is before valid from. Check both dates."


class Wrong(ValueError):
    """One field's fault: a code for programs and words for people."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code)
        self.code, self.detail = code, detail


def clean_details(raw: Mapping[str, Any], *, partial: bool = False) -> dict[str, Any]:
    """The details as services take them: text trimmed and in NFC, dates as dates, identifiers normalised.

    `raw` has Patient's field names and `identifiers` as a list of {"system", "value"}, each with "valid_from" and
    "valid_to" where those are to be written. With `partial`, only what is
    given is checked, and nothing is added. Raises InvalidInput that lists every wrong field, not only the first.
    """
    problems = [
        FieldProblem(name, "unknown-field", "There is no such field.")
        for name in raw
        if name not in FIELDS
    ]
    clean: dict[str, Any] = {}
    for name, value in raw.items():
        if name in FIELDS:
            try:
                clean[name] = _cleaner(name)(value)
            except Wrong as wrong:
                problems.append(FieldProblem(name, wrong.code, wrong.detail))
    problems += _across(clean, {problem.pointer for problem in problems}, partial=partial)
    if problems:
        raise InvalidInput(errors=problems)
    return clean


def _cleaner(name: str) -> Callable[[Any], Any]:
    if name == "identifiers":
        return _identifiers
    kind = FIELD_OF[name].kind
    if kind == Kind.DATE:
        return lambda value: _day(name, value)
    if kind == Kind.CHOICE:
        return lambda value: _choice(name, value)
    return lambda value: _text(name, value)


def _text(name: str, value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Wrong("not-text", "Give text.")
    text = " ".join(unicodedata.normalize("NFC", value).split())
    if any(unicodedata.category(c) in {"Cc", "Cs"} for c in text):
        raise Wrong("control-characters", "Remove the control characters.")
    text = _SPECIAL.get(FIELD_OF[name].kind, str)(text)
    limit = longest(Patient, name)
    if len(text) > limit:
        raise Wrong("too-long", f"Use at most {limit} characters; this has {len(text)}.")
    return text


def _email(text: str) -> str:
    try:
        if text:
            validate_email(text)
    except ValidationError as error:
        raise Wrong("bad-email", "Enter an e-mail address in the form name@example.com.") from error
    return text


def _country(text: str) -> str:
    code = country_code(text)
    if text and not code:
        raise Wrong(
            "bad-country",
            "Give the country by its name or its two letters (ISO 3166-1): Germany or DE.",
        )
    return code


def _phone(text: str) -> str:
    if text and sum(c.isdigit() for c in text) < 3:
        raise Wrong("bad-phone", "Enter a phone number with its digits, such as 020 7946 0000.")
    return text


_SPECIAL: dict[Kind, Callable[[str], str]] = {
    Kind.EMAIL: _email,
    Kind.COUNTRY: _country,
    Kind.PHONE: _phone,
    Kind.LANGUAGE: language_tag,
}


def _choice(name: str, value: Any) -> str:
    choices = _CHOICES[name]
    text = str(value or "").strip().lower()
    if text not in choices.values:
        raise Wrong("not-a-choice", f"Choose one of {', '.join(choices.values)}.")
    return text


def _day(name: str, value: Any) -> date | None:
    day = _any_day(value)
    if day and day > timezone.localdate():
        raise Wrong("in-the-future", _FUTURE[name])
    return day


def _any_day(value: Any, *, ahead: int = 0) -> date | None:
    """Past or to come; a year of two digits is at most `ahead` years ahead."""
    if value in (None, ""):
        return None
    try:
        day = value if isinstance(value, date) else date_from(str(value), ahead=ahead)
    except ValueError as error:
        raise Wrong(
            "no-such-date", "There is no such date. Check the day and the month."
        ) from error
    if day is None:
        raise Wrong("not-a-date", "Enter a date such as 1984-03-15, 15/3/1984 or 15 Mar 1984.")
    if day < EARLIEST:
        raise Wrong("too-long-ago", "Enter a date after 1849.")
    return day


def valid_day(value: Any) -> date | None:
    """A day on which an identifier begins or ends, of `1/1/31` the one to come; Wrong where there is no such day."""
    return _any_day(value, ahead=AHEAD)


_FUTURE = {
    "date_of_birth": "The date of birth must be today or in the past.",
    "deceased_on": "The date of death must be today or in the past.",
    "registered_on": "The day of registration must be today or in the past.",
}


def _identifiers(value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(one, Mapping) for one in value):
        raise Wrong("not-a-list", 'Give a list of {"system": …, "value": …}.')
    clean: dict[tuple[str, str], dict[str, Any]] = {}
    for one in value:
        system, number = (
            str(one.get("system") or "").strip(),
            identifier_value(str(one.get("value") or "")),
        )
        if not system or not number:
            raise Wrong(
                "incomplete", "Each identifier needs a system and a value with letters or digits."
            )
        if len(system) > longest(PatientIdentifier, "system") or len(number) > longest(
            PatientIdentifier, "value"
        ):
            raise Wrong("too-long", "An identifier's system or value is too long.")
        clean.setdefault((system, number), {"system": system, "value": number}).update(
            _validity(one)
        )
    return [*clean.values()]


def _validity(identifier: Mapping[str, Any]) -> dict[str, date | None]:
    """Only the days that are named: those that are left out stay as they are stored."""
    days = {name: valid_day(identifier[name]) for name in VALIDITY if name in identifier}
    if ends_before_it_begins(days.get("valid_from"), days.get("valid_to")):
        raise Wrong("ends-before-start", ENDS_BEFORE_IT_BEGINS)
    return days


def ends_before_it_begins(start: date | None, end: date | None) -> bool:
    """Whether these days leave no day on which the identifier is valid."""
    return bool(start and end and end < start)


def longest(model: type[Model], name: str) -> int:
    """How many characters a text column takes."""
    column = cast("CharField[str, str]", model._meta.get_field(name))
    return column.max_length or 0


def _across(clean: dict[str, Any], wrong: set[str], *, partial: bool) -> list[FieldProblem]:
    """What only several fields together can tell; phone_e164 follows the phone."""
    problems = []
    names = ("family_name", "given_name")
    blank = not any(clean.get(name) for name in names)
    if blank and not wrong & {*names} and (not partial or all(name in clean for name in names)):
        problems.append(
            FieldProblem("family_name", "required", "Enter a family name or a given name.")
        )
    born, died = clean.get("date_of_birth"), clean.get("deceased_on")
    if born and died and died < born:
        problems.append(
            FieldProblem(
                "deceased_on", "before-birth", "The date of death is before the date of birth."
            )
        )
    if "phone" in clean:
        clean["phone_e164"] = e164(clean["phone"], clean.get("country", ""))
    return problems
