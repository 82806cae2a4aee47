"""A row beside a known patient: is it the same person, and what does the row say that the record does not?"""

from datetime import date
from typing import Any

from portal.imports.matching.lookup import KnownPatient
from portal.imports.matching.row import CheckedRow
from portal.imports.readers import values
from portal.patients.normalize import fold

BLANK = ("", None, "unknown")
_APART = {"phone_e164", "identifiers", "date_of_birth", "date_of_birth_precision"}
_RANK = {"year": 1, "month": 2, "day": 3}


def is_different_person(candidate: CheckedRow, person: KnownPatient) -> bool:
    """Whether two or more of family name, given name, birth and sex differ.

    One of them changes in a life, or was misspelt. Two that differ under one identifier are more likely a wrong
    identifier, and writing over another person's record is the worst that an import can do.
    """
    row, there = candidate.details, person.values
    facts: list[tuple[Any, Any]] = [
        (fold(row.get(one) or ""), fold(there[one])) for one in ("family_name", "given_name")
    ]
    facts += [(row.get("sex"), there["sex"]), _births(row, there)]
    return sum(new not in BLANK and old not in BLANK and new != old for new, old in facts) >= 2


def changes_for(candidate: CheckedRow, person: KnownPatient) -> dict[str, Any]:
    """The fields that the row carries and that differ. A blank, an "unknown" and a vaguer date change nothing."""
    row, there = candidate.details, person.values
    changes = {
        name: value
        for name, value in row.items()
        if name not in _APART and value not in BLANK and _differs(name, value, there[name])
    }
    if row.get("date_of_birth") and not _says_no_more(row, there):
        changes["date_of_birth"] = row["date_of_birth"]
        changes["date_of_birth_precision"] = row.get("date_of_birth_precision", "day")
    if more := candidate.pairs - person.identifiers - person.own_keys:
        wanted = sorted(person.identifiers | more)
        changes["identifiers"] = [{"system": system, "value": value} for system, value in wanted]
    return changes


def _differs(name: str, value: Any, there: Any) -> bool:
    if name in (
        "race",
        "ethnicity",
    ):  # The readers write a known label in one way; other doors take it as typed.
        there = values.origin(there)
    return value != there


def _births(
    row: dict[str, Any], there: dict[str, Any]
) -> tuple[tuple[int, ...] | None, tuple[int, ...] | None]:
    """Both dates of birth, cut to what both of them know."""
    rank = min(_rank(row), _rank(there))
    return _cut(row.get("date_of_birth"), rank), _cut(there["date_of_birth"], rank)


def _says_no_more(row: dict[str, Any], there: dict[str, Any]) -> bool:
    new, old = _births(row, there)
    return new == old and _rank(row) <= _rank(there)


def _rank(details: dict[str, Any]) -> int:
    return _RANK[details.get("date_of_birth_precision", "day")]


def _cut(day: date | None, rank: int) -> tuple[int, ...] | None:
    return (day.year, day.month, day.day)[:rank] if day else None
