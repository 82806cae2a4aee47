"""The rules of entered identifiers: each has a system and a value that proves something."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from portal.patients.columns import InvalidValue, clean_value, max_length_of
from portal.patients.entered_dates import ENDS_BEFORE_START, ends_before_start, validity_day
from portal.patients.models import PatientIdentifier
from portal.patients.normalize import identifier_value
from portal.patients.reference.identifier_proof import why_it_proves_nothing
from portal.patients.reference.identifier_systems import SYSTEMS

VALIDITY = ("valid_from", "valid_to")
MOST_IDENTIFIERS = 50  # Of a patient.
LONGEST_TYPED_NUMBER = 250  # Characters of an identifier with its dashes and spaces.


def validate_identifiers(value: Any) -> list[dict[str, Any]]:
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
    """Returns a text, or a whole number as text; InvalidValue for true, false and other types."""
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise InvalidValue("not-text", "Give the system and the value of an identifier as text.")
    if len(text := str(value)) > LONGEST_TYPED_NUMBER:
        raise InvalidValue("too-long", "An identifier's system or value is too long.")
    return clean_value(text)


def _validate_validity(item: Mapping[str, Any]) -> dict[str, date | None]:
    """Returns only the days that are named: the others stay as they are stored."""
    days = {name: validity_day(item[name]) for name in VALIDITY if name in item}
    if ends_before_start(days.get("valid_from"), days.get("valid_to")):
        raise InvalidValue("ends-before-start", ENDS_BEFORE_START)
    return days
