"""Compares a row with a known patient: is it the same person, and what does the row change?"""

from datetime import date
from typing import Any

from portal.imports.matching.lookup import KnownPatient
from portal.imports.matching.row import CheckedRow
from portal.imports.matching.set_aside import identifier_key, names_other_days
from portal.imports.readers import values
from portal.patients.matching.rules import IdentifierKey
from portal.patients.names.given_names import is_same_given_name
from portal.patients.normalize import fold

BLANK = ("", None, "unknown")
_COMPARED_APART = {"phone_e164", "identifiers", "date_of_birth", "date_of_birth_precision"}
_EXCHANGED = "day and month of birth exchanged"
_PARTS_OF_DATE = {"year": 1, "month": 2, "day": 3}  # How many of year, month and day are known.

DateParts = tuple[int, ...] | None


def reasons_for_another_person(row: CheckedRow, patient: KnownPatient) -> list[str]:
    """Returns what speaks against the row's person being the patient; nothing if they may be one.

    Another given name, or another birth, is a question: twins share a number in many a file, and
    so do father and son. So are two of family name, given name, birth and sex that are written
    otherwise: one of them changes in a life, or was misspelt. Writing over another person's record
    is the worst that an import can do.
    """
    new, old = row.details, patient.values
    new_given, old_given = fold(new.get("given_name") or ""), fold(old["given_name"])
    new_birth, old_birth = _dates_of_birth(new, old)
    compared: list[tuple[str, Any, Any]] = [
        ("family name", fold(new.get("family_name") or ""), fold(old["family_name"])),
        ("given name", new_given, old_given),
        ("date of birth", new_birth, old_birth),
        ("sex", new.get("sex"), old["sex"]),
    ]
    different = [
        name
        for name, new_value, old_value in compared
        if new_value not in BLANK and old_value not in BLANK and new_value != old_value
    ]
    is_other_name = not is_same_given_name(new_given, old_given)
    if not (is_other_name or "date of birth" in different or len(different) > 1):
        return []
    if _are_day_and_month_exchanged(new_birth, old_birth):
        return [_EXCHANGED if name == "date of birth" else f"another {name}" for name in different]
    return [f"another {name}" for name in different]


def _are_day_and_month_exchanged(first: DateParts, second: DateParts) -> bool:
    if not first or not second or len(first) < len(_PARTS_OF_DATE):
        return False
    return first != second and first == (second[0], second[2], second[1])


def changes_for(row: CheckedRow, patient: KnownPatient) -> dict[str, Any]:
    """Returns the fields that the row carries and that differ from the patient's.

    A blank, an "unknown" and a vaguer date change nothing.
    """
    new, old = row.details, patient.values
    changes = {}
    for name, value in new.items():
        if name in _COMPARED_APART or value in BLANK:
            continue
        if _differs(name, value, old[name]):
            changes[name] = value
    if new.get("date_of_birth") and not _is_as_vague(new, old):
        changes["date_of_birth"] = new["date_of_birth"]
        changes["date_of_birth_precision"] = new.get("date_of_birth_precision", "day")
    named = {identifier_key(item): item for item in new.get("identifiers", [])}
    added = named.keys() - patient.identifiers.keys() - patient.own_keys
    if added or moved_identifiers(new, patient):
        wanted = sorted(patient.identifiers.keys() | added)
        changes["identifiers"] = [
            {"system": system, "value": value, **named.get((system, value), {})}
            for system, value in wanted
        ]
    return changes


def moved_identifiers(details: dict[str, Any], patient: KnownPatient) -> list[IdentifierKey]:
    """Returns the patient's identifiers for which these details name other days."""
    moved = []
    for item in details.get("identifiers", []):
        key = identifier_key(item)
        if key in patient.identifiers and names_other_days(item, patient.identifiers[key]):
            moved.append(key)
    return sorted(moved)


def _differs(name: str, new: Any, old: Any) -> bool:
    if name in ("race", "ethnicity"):
        # The readers write a known label in one way; other channels keep it as typed.
        old = values.normalise_origin(old)
    return new != old


def _dates_of_birth(new: dict[str, Any], old: dict[str, Any]) -> tuple[DateParts, DateParts]:
    """Returns both dates of birth, cut to the parts that both of them know."""
    parts = min(_known_parts(new), _known_parts(old))
    return _cut(new.get("date_of_birth"), parts), _cut(old["date_of_birth"], parts)


def _is_as_vague(new: dict[str, Any], old: dict[str, Any]) -> bool:
    """Tells whether the new date of birth agrees with the old one and is no more exact."""
    new_date, old_date = _dates_of_birth(new, old)
    return new_date == old_date and _known_parts(new) <= _known_parts(old)


def _known_parts(details: dict[str, Any]) -> int:
    return _PARTS_OF_DATE[details.get("date_of_birth_precision", "day")]


def _cut(day: date | None, parts: int) -> DateParts:
    return (day.year, day.month, day.day)[:parts] if day else None
