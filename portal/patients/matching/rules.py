"""Whether two records may be one person: the rules, the grade of a match, and its reasons in words."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any
from uuid import UUID

from portal.patients.models import Patient, Precision
from portal.patients.names.similarity import SAME, compare_names
from portal.patients.normalize import fold
from portal.patients.reference.identifier_systems import system_name

IdentifierKey = tuple[str, str]
PersonKey = tuple[str, date | None]

_PARTS = {Precision.DAY: 3, Precision.MONTH: 2, Precision.YEAR: 1}
_BIRTH = {3: "same date of birth", 2: "same month of birth", 1: "same year of birth"}


class MatchGrade(StrEnum):
    """How surely a match is the same person; the words of FHIR's match-grade."""

    CERTAIN = "certain"
    PROBABLE = "probable"
    POSSIBLE = "possible"

    @property
    def is_strong(self) -> bool:
        """Nobody is registered beside such a match before a person has said that it is somebody else."""
        return self is not MatchGrade.POSSIBLE


@dataclass(frozen=True)
class Match:
    """A patient who may be the person, how surely, and why, in words that name no value."""

    patient_id: UUID
    grade: MatchGrade
    reasons: tuple[str, ...]
    shared_identifiers: tuple[
        str, ...
    ] = ()  # The kinds of identifiers that both have: nobody else may get those.


@dataclass(frozen=True)
class ComparedFields:
    """What is compared of a person; names are folded, and empty or None is not known."""

    family: str = ""
    given: str = ""
    born: date | None = None
    precision: str = Precision.DAY
    phone: str = ""
    identifiers: frozenset[IdentifierKey] = frozenset()


def compared_fields(
    details: Mapping[str, Any], identifiers: Iterable[IdentifierKey] | None = None
) -> ComparedFields:
    """The facts of cleaned details; a phone that is not valid counts by its digits."""
    held = identifiers if identifiers is not None else identifier_keys(details)
    return ComparedFields(
        fold(details.get("family_name") or ""),
        fold(details.get("given_name") or ""),
        details.get("date_of_birth"),
        details.get("date_of_birth_precision") or Precision.DAY,
        details.get("phone_e164") or phone_digits(details.get("phone") or ""),
        frozenset(held),
    )


def person_key(details: Mapping[str, Any]) -> PersonKey:
    """The exact rule: who has the same key (name as the database folds it, date of birth) is taken for one person."""
    name = fold(f"{details.get('family_name') or ''} {details.get('given_name') or ''}")
    return name, details.get("date_of_birth")


def identifier_keys(details: Mapping[str, Any]) -> set[IdentifierKey]:
    """The identifiers of cleaned details as (system, value)."""
    return {(one["system"], one["value"]) for one in details.get("identifiers") or []}


def phone_digits(phone: str) -> str:
    """The digits of a phone number with enough of them to tell people apart, else empty."""
    digits = "".join(c for c in phone if c.isdigit())
    return digits if len(digits) >= 7 else ""


def grade_match(patient_id: UUID, known: ComparedFields, *, new: ComparedFields) -> Match | None:
    """How well the patient fits the new person; None where nothing worth a look agrees."""
    held = tuple(sorted(system_name(system) for system, _ in new.identifiers & known.identifiers))
    birth, names, phone = (
        _birth(new, known),
        _names(new, known),
        bool(new.phone) and new.phone == known.phone,
    )
    grade = (
        MatchGrade.CERTAIN if held else _grade(new, known, birth=birth, names=names, phone=phone)
    )
    if grade is None:
        return None
    reasons = [same_identifier_reason(kind) for kind in held] + names.words + birth.words
    return Match(patient_id, grade, (*reasons, *["same phone"] * phone), held)


def same_identifier_reason(kind: str) -> str:
    """The reason that both hold an identifier of this kind, which is named in the words of the desk."""
    return f"same identifier ({kind})"


@dataclass(frozen=True)
class _Birth:
    """The parts (year, month, day) that both know and that are the same; `differs` if they contradict each other."""

    parts: int = 0
    differs: bool = False
    is_exchanged: bool = (
        False  # 4 May and 5 April: one of them was written in the other country's order.
    )

    @property
    def words(self) -> list[str]:
        if self.is_exchanged:
            return ["day and month of birth exchanged"]
        return [_BIRTH[self.parts]] if self.parts else []


@dataclass(frozen=True)
class _Names:
    """How far the names agree, in words: the whole name, the family name, or one much like it; the given name."""

    words: list[str]
    is_same: bool = False
    has_family: bool = False
    has_like_family: bool = False
    has_given: bool = False


def _grade(
    new: ComparedFields, known: ComparedFields, *, birth: _Birth, names: _Names, phone: bool
) -> MatchGrade | None:
    is_exact = (
        names.is_same and names.has_family and new.born is not None and new.born == known.born
    )
    if is_exact:
        return MatchGrade.CERTAIN
    if birth.parts == 3 and (
        names.is_same or names.has_family or (names.has_like_family and names.has_given)
    ):
        return MatchGrade.PROBABLE
    if names.is_same and (birth.parts or birth.is_exchanged):
        return MatchGrade.PROBABLE
    if phone and names.has_given and not birth.differs:
        return MatchGrade.PROBABLE
    if (
        phone
        or (birth.parts == 3 and names.has_like_family)
        or (names.is_same and not birth.differs)
    ):
        return MatchGrade.POSSIBLE
    return None


def _birth(new: ComparedFields, known: ComparedFields) -> _Birth:
    if new.born is None or known.born is None:
        return _Birth()
    parts = min(_PARTS[Precision(new.precision)], _PARTS[Precision(known.precision)])
    if _cut(new.born, parts) == _cut(known.born, parts):
        return _Birth(parts)
    return _Birth(
        differs=True,
        is_exchanged=parts == _PARTS[Precision.DAY] and swap_day_and_month(new.born) == known.born,
    )


def swap_day_and_month(day: date) -> date | None:
    """Day and month the other way round, where there is such a day: 2008-04-05 and 2008-05-04."""
    return day.replace(month=day.day, day=day.month) if day.day <= 12 else None


def _cut(day: date, parts: int) -> tuple[int, ...]:
    return (day.year, day.month, day.day)[:parts]


def _names(new: ComparedFields, known: ComparedFields) -> _Names:
    if f"{new.family} {new.given}".split() == f"{known.family} {known.given}".split():
        return _Names(
            ["same name"], is_same=True, has_family=True, has_like_family=True, has_given=True
        )
    if new.family and new.given and (new.family, new.given) == (known.given, known.family):
        return _Names(["family and given name exchanged"], is_same=True, has_given=True)
    family = compare_names(new.family, known.family)
    given = (
        compare_names(new.given, known.given) if family or new.phone else ""
    )  # Else no rule asks for it.
    words = [
        f"{said} {name}" for said, name in ((family, "family name"), (given, "given name")) if said
    ]
    is_same = family == SAME
    return _Names(words, has_family=is_same, has_like_family=bool(family), has_given=bool(given))


COMPARED_COLUMNS = (
    "family_name",
    "given_name",
    "date_of_birth",
    "date_of_birth_precision",
    "phone",
    "phone_e164",
)


def compared_fields_by_id(patient_ids: Iterable[UUID]) -> dict[UUID, ComparedFields]:
    """The facts of those who are there, without identifiers: those belong to one patient only, so two never agree."""
    rows = (
        Patient.objects.filter(pk__in=list(patient_ids)).order_by().values("pk", *COMPARED_COLUMNS)
    )
    return {row["pk"]: compared_fields(row) for row in rows}


def stored_details(patient: Patient) -> dict[str, Any]:
    """What is compared of one stored patient, identifiers too, named as cleaned details are."""
    details: dict[str, Any] = {name: getattr(patient, name) for name in COMPARED_COLUMNS}
    return {
        **details,
        "identifiers": [
            {"system": one.system, "value": one.value} for one in patient.identifiers.all()
        ],
    }
