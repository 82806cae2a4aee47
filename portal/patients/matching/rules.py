"""The rules of matching: what is compared of two records, the grade of a match, and its reasons."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cached_property, lru_cache
from typing import Any
from uuid import UUID

from portal.patients.models import Patient, Precision
from portal.patients.names.given_names import are_other_newborns
from portal.patients.names.similarity import NameSimilarity, compare_names
from portal.patients.normalize import fold, joined_name, name_key, second_number
from portal.patients.reference.identifier_proof import why_it_proves_nothing
from portal.patients.reference.identifier_systems import system_name
from portal.stored_dates import known_date

IdentifierKey = tuple[str, str]  # system and value
PersonKey = tuple[str, date | None, str]  # key of the name, date of birth, its precision
PairIds = tuple[UUID, UUID]  # the ids of two patients, the smaller one first

COMPARED_COLUMNS = (
    "family_name",
    "given_name",
    "date_of_birth",
    "date_of_birth_precision",
    "phone",
    "phone_e164",
)
MIN_PHONE_DIGITS = 7  # digits: a shorter number, such as 911, is shared by many

# Names come again and again: folding a name takes as long as ten look-ups of it here.
cached_fold = lru_cache(maxsize=50_000)(fold)

# How many parts of a date, of year, month and day, are known at each precision.
_KNOWN_PARTS = {Precision.DAY: 3, Precision.MONTH: 2, Precision.YEAR: 1}
_WHOLE_DATE = 3
_BIRTH_REASONS = {3: "same date of birth", 2: "same month of birth", 1: "same year of birth"}


class MatchGrade(StrEnum):
    """How sure it is that two records are one person, in the words of FHIR's match-grade."""

    CERTAIN = "certain"
    PROBABLE = "probable"
    POSSIBLE = "possible"

    @property
    def is_strong(self) -> bool:
        """Registering beside a strong match needs an override reason."""
        return self is not MatchGrade.POSSIBLE


@dataclass(frozen=True)
class Match:
    """A patient who may be the person in question, the grade, and reasons that name no value.

    `shared_identifiers` names the kinds of identifiers that both records have: an identifier
    belongs to one patient only.
    """

    patient_id: UUID
    grade: MatchGrade
    reasons: tuple[str, ...]
    shared_identifiers: tuple[str, ...] = ()


@dataclass
class ComparedFields:
    """What is compared of a person. Names are folded; empty or None means not known.

    `second_phone` is another number in the same field. Nothing changes a field: a frozen class
    would take three times as long to make.
    """

    family: str = ""
    given: str = ""
    born: date | None = None
    precision: str = Precision.DAY
    phone: str = ""
    identifiers: frozenset[IdentifierKey] = frozenset()
    second_phone: str = ""

    @property
    def phones(self) -> set[str]:
        return {self.phone, self.second_phone} - {""}

    @cached_property
    def name_key(self) -> str:
        return name_key(self.family, self.given)

    @cached_property
    def joined_name(self) -> str:
        return joined_name(self.family, self.given)

    def is_respelt(self, other: "ComparedFields") -> bool:
        """Returns whether the other name has the same words, parted or spelt otherwise.

        O'Brien and O Brien, Min-su and Minsu, Müller and Mueller are the same words. A whole name
        in one field may have either order.
        """
        if self.joined_name == other.joined_name:
            return True
        if self.given and other.given:
            return False
        return self.joined_name == joined_name(other.given, other.family) or (
            other.joined_name == joined_name(self.given, self.family)
        )

    def has_names_exchanged(self, other: "ComparedFields") -> bool:
        """Returns whether each family name is the other one's given name."""
        is_exchanged = (self.family, self.given) == (other.given, other.family)
        return is_exchanged and self.family != self.given


def grade_match(patient_id: UUID, known: ComparedFields, *, new: ComparedFields) -> Match | None:
    """Returns how well the known patient matches the new person; None if too little agrees."""
    shared = sorted(system_name(system) for system, _ in new.identifiers & known.identifiers)
    birth, names = _compare_births(new, known), _compare_whole_names(new, known)
    is_same_phone = bool(new.phones & known.phones)
    grade = MatchGrade.CERTAIN if shared else _grade(birth, names, is_same_phone=is_same_phone)
    if grade is None:
        return None
    reasons = [same_identifier_reason(kind) for kind in shared] + names.reasons + birth.reasons
    if is_same_phone:
        reasons.append("same phone")
    return Match(patient_id, grade, tuple(reasons), tuple(shared))


def same_identifier_reason(kind: str) -> str:
    """Returns the reason that both records have an identifier of this kind."""
    return f"same identifier ({kind})"


@dataclass(frozen=True)
class _BirthComparison:
    """How far two dates of birth agree.

    `same_parts` counts the parts (year, month, day) that both know and that are the same. They
    may be `swapped`: 4 May and 5 April, where one was written in the other country's order.
    """

    same_parts: int = 0
    differs: bool = False
    is_swapped: bool = False

    @property
    def reasons(self) -> list[str]:
        if self.is_swapped:
            return ["day and month of birth exchanged"]
        return [_BIRTH_REASONS[self.same_parts]] if self.same_parts else []


@dataclass(frozen=True)
class _NameComparison:
    """How far two whole names agree. A similar family name includes the same one."""

    reasons: list[str]
    is_same: bool = False
    is_respelt: bool = False
    has_same_family: bool = False
    has_similar_family: bool = False
    has_similar_given: bool = False
    are_other_newborns: bool = False


def _grade(
    birth: _BirthComparison, names: _NameComparison, *, is_same_phone: bool
) -> MatchGrade | None:
    is_same_day = birth.same_parts == _WHOLE_DATE
    is_similar_person = names.has_similar_family and names.has_similar_given
    if names.are_other_newborns:
        is_near = is_same_phone or (is_same_day and names.has_similar_family)
        return MatchGrade.POSSIBLE if is_near else None
    if (names.is_same or names.is_respelt) and is_same_day:
        return MatchGrade.CERTAIN
    if is_same_day and (names.has_same_family or is_similar_person):
        return MatchGrade.PROBABLE
    if names.is_same and (birth.same_parts or birth.is_swapped):
        return MatchGrade.PROBABLE
    if is_same_phone and names.has_similar_given and not birth.differs:
        return MatchGrade.PROBABLE
    if is_same_phone or (is_same_day and names.has_similar_family):
        return MatchGrade.POSSIBLE
    if names.is_same and not birth.differs:
        return MatchGrade.POSSIBLE
    return None


def _compare_births(new: ComparedFields, known: ComparedFields) -> _BirthComparison:
    if new.born is None or known.born is None:
        return _BirthComparison()
    parts = min(_KNOWN_PARTS[Precision(new.precision)], _KNOWN_PARTS[Precision(known.precision)])
    if _first_parts(new.born, parts) == _first_parts(known.born, parts):
        return _BirthComparison(parts)
    is_swapped = parts == _WHOLE_DATE and swap_day_and_month(new.born) == known.born
    return _BirthComparison(differs=True, is_swapped=is_swapped)


def _first_parts(day: date, count: int) -> tuple[int, ...]:
    return (day.year, day.month, day.day)[:count]


def swap_day_and_month(day: date) -> date | None:
    """Returns 2008-05-04 for 2008-04-05, or None if there is no such day."""
    return day.replace(month=day.day, day=day.month) if day.day <= 12 else None


def _compare_whole_names(new: ComparedFields, known: ComparedFields) -> _NameComparison:
    if not new.name_key or not known.name_key:
        return _NameComparison([])
    if new.name_key == known.name_key:
        is_exchanged = new.has_names_exchanged(known)
        return _NameComparison(
            ["family and given name exchanged" if is_exchanged else "same name"],
            is_same=True,
            has_same_family=True,
            has_similar_family=True,
            has_similar_given=True,
        )
    if new.born and new.born == known.born and new.is_respelt(known):
        return _NameComparison(
            ["same name"],
            is_respelt=True,
            has_same_family=True,
            has_similar_family=True,
            has_similar_given=True,
        )
    family = compare_names(new.family, known.family)
    # Without a similar family name or a phone, no rule asks for the given name.
    given = compare_names(new.given, known.given) if family or new.phones else None
    are_newborns = are_other_newborns(new.given, known.given)
    if are_newborns:
        given = None
    reasons = []
    if family:
        reasons.append(f"{family} family name")
    if given:
        reasons.append(f"{given} given name")
    return _NameComparison(
        reasons,
        has_same_family=family == NameSimilarity.SAME,
        has_similar_family=family is not None,
        has_similar_given=given is not None,
        are_other_newborns=are_newborns,
    )


def compared_fields(
    details: Mapping[str, Any], identifiers: Iterable[IdentifierKey] | None = None
) -> ComparedFields:
    """Returns the compared fields of validated data; an invalid phone counts by its digits.

    `identifiers` stand in for those of the data, where given.
    """
    keys = identifiers if identifiers is not None else identifier_keys(details)
    return ComparedFields(
        family=cached_fold(details.get("family_name") or ""),
        given=cached_fold(details.get("given_name") or ""),
        born=known_date(details.get("date_of_birth")),
        precision=details.get("date_of_birth_precision") or Precision.DAY,
        phone=details.get("phone_e164") or phone_digits(details.get("phone") or ""),
        identifiers=frozenset(keys),
        second_phone=second_number(details.get("phone") or ""),
    )


def compared_fields_by_id(patient_ids: Iterable[UUID]) -> dict[UUID, ComparedFields]:
    """Returns the compared fields of the patients that exist.

    They have no identifiers: an identifier belongs to one patient only, so no two share one.
    """
    patients = Patient.objects.filter(pk__in=list(patient_ids)).order_by()
    return {row["pk"]: compared_fields(row) for row in patients.values("pk", *COMPARED_COLUMNS)}


def stored_details(patient: Patient) -> dict[str, Any]:
    """Returns what is compared of a stored patient, identifiers too, named as in validated data."""
    details: dict[str, Any] = {name: getattr(patient, name) for name in COMPARED_COLUMNS}
    details["identifiers"] = [
        {"system": identifier.system, "value": identifier.value}
        for identifier in patient.identifiers.all()
    ]
    return details


def person_key(details: Mapping[str, Any], compared: ComparedFields | None = None) -> PersonKey:
    """Returns name and birth, to find namesakes; the precision is empty without a birth date.

    `compared` is what is compared of the person, where the caller knows it.

    By the exact rule two records with the same key are one person if the day of birth is known:
    `has_exact_birth`.
    """
    family, given = details.get("family_name") or "", details.get("given_name") or ""
    # The signs that folding joins to the letters before or after them are in no ASCII name.
    is_plain = compared and family.isascii() and given.isascii()
    name = compared.name_key if compared and is_plain else name_key(family, given)
    born = details.get("date_of_birth")
    precision = str(details.get("date_of_birth_precision") or Precision.DAY) if born else ""
    return name, born, precision


def has_exact_birth(person: PersonKey) -> bool:
    """Returns whether the day of birth is known: thousands share a year."""
    return person[2] == Precision.DAY


def identifier_keys(details: Mapping[str, Any]) -> set[IdentifierKey]:
    """Returns the identifiers of validated data, or of a record, without those that prove nothing.

    Earlier versions stored such, as 000-00-0000.
    """
    keys = {
        (identifier["system"], identifier["value"])
        for identifier in details.get("identifiers") or []
    }
    return {(system, value) for system, value in keys if not why_it_proves_nothing(system, value)}


def phone_digits(phone: str) -> str:
    """Returns the digits of a phone number; empty if they are too few to tell people apart."""
    digits = "".join(character for character in phone if character.isdigit())
    return digits if len(digits) >= MIN_PHONE_DIGITS else ""


def pair_ids(first_id: UUID, second_id: UUID) -> PairIds:
    """Returns the ids of a pair in order."""
    return (first_id, second_id) if first_id < second_id else (second_id, first_id)
