"""The rules of a patient's fields: form, API, admin and imports all check by them."""

import re
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, cast

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import CharField, Model
from django.utils import timezone

from portal.errors import FieldProblem, InvalidInput
from portal.patients.dates import HasTime, TypedDate, numeric_date, parse_date
from portal.patients.fields import ENTERED, FIELD_OF, Kind
from portal.patients.models import FIRST_DAY, LAST_DAY, Patient, PatientIdentifier, Precision
from portal.patients.normalize import e164, identifier_value
from portal.patients.reference.countries import country_code, language_tag
from portal.patients.reference.identifier_proof import why_it_proves_nothing
from portal.patients.reference.identifier_systems import SYSTEMS
from portal.stored_dates import known_date
from portal.text import clean_text, has_letter, is_damaged

FIELDS = (*ENTERED, "identifiers")
VALIDITY = ("valid_from", "valid_to")
EARLIEST_DATE = date.fromisoformat(FIRST_DAY)
# Years that a two-digit year may lie ahead: a passport that ends in 31 does not end in 1931.
YEARS_AHEAD = 30
MOST_IDENTIFIERS = 50  # Of a patient.
LONGEST_TYPED_NUMBER = 250  # Characters of an identifier with its dashes and spaces.
_SHEET_DAY = re.compile(r"[1-7]\d{4}(\.\d*)?$")  # 10000 to 79999 stand for 1927 to 2119
ENDS_BEFORE_START = "Valid to is before valid from. Check both dates."
_DATES = ("date_of_birth", "deceased_on", "registered_on")
_IN_THE_FUTURE = {
    "date_of_birth": "The date of birth must be today or in the past.",
    "deceased_on": "The date of death must be today or in the past.",
    "registered_on": "The day of registration must be today or in the past.",
}


class InvalidValue(ValueError):
    """The fault of one field: a code for programs and a message for people."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code)
        self.code, self.detail = code, detail


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
        return _validate_identifiers(value)
    match FIELD_OF[name].kind:
        case Kind.DATE:
            return _validate_past_day(name, value)
        case Kind.CHOICE:
            return _validate_choice(name, value)
        case _:
            return _validate_text(name, value)


def _validate_text(name: str, value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise InvalidValue("not-text", "Give text.")
    text = _clean(value)
    text = _validate_kind(FIELD_OF[name].kind, text)
    limit = max_length_of(Patient, name)
    if len(text) > limit:
        raise InvalidValue("too-long", f"Use at most {limit} characters; this has {len(text)}.")
    return text


def _clean(text: str) -> str:
    """Returns the cleaned text. InvalidValue for a damaged one."""
    text = clean_text(text)
    if is_damaged(text):
        raise InvalidValue("control-characters", "Remove the control characters.")
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
        if text:
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
    if text and sum(character.isdigit() for character in text) < 3:
        message = "Enter a phone number with its digits, such as 020 7946 0000."
        raise InvalidValue("bad-phone", message)
    return text


def _validate_choice(name: str, value: Any) -> str:
    choices = [choice for choice, _label in choices_of(name)]
    text = str(value or "").strip().lower()
    if text not in choices:
        raise InvalidValue("not-a-choice", f"Choose one of {', '.join(choices)}.")
    return text


def _validate_past_day(name: str, value: Any) -> date | None:
    day = _validate_day(value)
    if day and day > timezone.localdate():
        message = _IN_THE_FUTURE.get(name, "This day must be today or in the past.")
        raise InvalidValue("in-the-future", message)
    return day


def validity_day(value: Any) -> date | None:
    """Returns the day on which an identifier begins or ends, which may be to come. InvalidValue."""
    return _validate_day(value, years_ahead=YEARS_AHEAD)


def _validate_day(value: Any, *, years_ahead: int = 0) -> date | None:
    if value in (None, ""):
        return None
    is_date = isinstance(value, date)
    typed = TypedDate(value) if is_date else read_date(str(value), years_ahead=years_ahead)
    if typed.precision != Precision.DAY:
        raise InvalidValue("not-a-day", f"Give the whole date, such as {_example_day()}.")
    if typed.first < EARLIEST_DATE:
        raise InvalidValue("too-long-ago", "Enter a date after 1849.")
    return typed.first


def read_date(text: str, *, years_ahead: int = 0) -> TypedDate:
    """Returns the day, month or year of a text that is not empty. InvalidValue says what is wrong.

    See `dates.parse_date` for what is understood.
    """
    try:
        typed = parse_date(text, ahead=years_ahead)
    except HasTime as error:
        message = "Give the day alone, without a time."
        raise InvalidValue("has-a-time", message) from error
    except ValueError as error:
        message = "There is no such date. Check the day and the month."
        raise InvalidValue("no-such-date", message) from error
    if typed is None and _SHEET_DAY.match(text):
        message = (
            "This is a spreadsheet's number of a day. Give the column the format of a date there, "
            "and save the file again."
        )
        raise InvalidValue("not-a-date", message)
    if typed is None:
        raise InvalidValue("not-a-date", f"Enter a date such as {_example_day()}.")
    return typed


def _example_day() -> str:
    return f"1984-03-15, {numeric_date(date(1984, 3, 15))} or 15 Mar 1984"


def _validate_identifiers(value: Any) -> list[dict[str, Any]]:
    """Returns each identifier once, its value normalised."""
    if isinstance(value, list) and len(value) > MOST_IDENTIFIERS:
        message = f"Give at most {MOST_IDENTIFIERS} identifiers; these are {len(value)}."
        raise InvalidValue("too-many", message)
    if not isinstance(value, list) or not all(isinstance(item, Mapping) for item in value):
        raise InvalidValue("not-a-list", 'Give a list of {"system": …, "value": …}.')
    validated: dict[tuple[str, str], dict[str, Any]] = {}
    for item in value:
        system, number = _validate_identifier(item)
        identifier = validated.setdefault((system, number), {"system": system, "value": number})
        identifier.update(_validate_validity(item))
    return list(validated.values())


def _validate_identifier(item: Mapping[str, Any]) -> tuple[str, str]:
    system, typed = (_identifier_text(item.get(name)) for name in ("system", "value"))
    if system.lower() in SYSTEMS:
        system = system.lower()
    if system and (fault := why_it_proves_nothing(system, typed)):
        raise InvalidValue(fault.code, fault.advice)
    number = identifier_value(typed)
    if not system or not number:
        message = "Each identifier needs a system and a value with letters or digits."
        raise InvalidValue("incomplete", message)
    longest_system = max_length_of(PatientIdentifier, "system")
    longest_value = max_length_of(PatientIdentifier, "value")
    if len(system) > longest_system or len(number) > longest_value:
        raise InvalidValue("too-long", "An identifier's system or value is too long.")
    return system, number


def _identifier_text(value: Any) -> str:
    """Returns a text, or a whole number as text. InvalidValue for what only looks like one."""
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise InvalidValue("not-text", "Give the system and the value of an identifier as text.")
    if len(text := str(value)) > LONGEST_TYPED_NUMBER:
        raise InvalidValue("too-long", "An identifier's system or value is too long.")
    return _clean(text)


def _validate_validity(item: Mapping[str, Any]) -> dict[str, date | None]:
    """Returns only the days that are named: the others stay as they are stored."""
    days = {name: validity_day(item[name]) for name in VALIDITY if name in item}
    if ends_before_start(days.get("valid_from"), days.get("valid_to")):
        raise InvalidValue("ends-before-start", ENDS_BEFORE_START)
    return days


def impossible_dates(patient: Patient) -> list[FieldProblem]:
    """Returns a problem for each date of a stored record that no person can have.

    They came by SQL, around the checks of all channels.
    """
    return [
        FieldProblem(
            name,
            "impossible-date",
            f"The stored day of “{FIELD_OF[name].label}” is not possible. Correct it first.",
        )
        for name in _DATES
        if not _is_possible(getattr(patient, name))
    ]


def _is_possible(value: date | None) -> bool:
    if value is None:
        return True
    return known_date(value) is not None and FIRST_DAY <= str(value) <= LAST_DAY


def ends_before_start(start: date | None, end: date | None) -> bool:
    """Returns whether these days leave no day on which the identifier is valid."""
    return bool(start and end and end < start)


def max_length_of(model: type[Model], name: str) -> int:
    """Returns how many characters a text column takes."""
    column = cast("CharField[str, str]", model._meta.get_field(name))
    return column.max_length or 0


def choices_of(name: str) -> list[tuple[str, str]]:
    """Returns the values of a patient's column, each with its label."""
    column = cast("CharField[str, str]", Patient._meta.get_field(name))
    return list(cast("Iterable[tuple[str, str]]", column.choices or ()))


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
