"""Looks up the patients who may be a given person, by index, and compares them by the rules."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import Case, Q, QuerySet, Value, When

from portal.patients.matching.candidates import Limits, Sought, read_candidates
from portal.patients.matching.rules import (
    COMPARED_COLUMNS,
    ComparedFields,
    IdentifierKey,
    Match,
    MatchGrade,
    compared_fields,
    grade_match,
    has_exact_birth,
    identifier_keys,
    person_key,
    swap_day_and_month,
)
from portal.patients.models import (
    PairState,
    Patient,
    PatientIdentifier,
    PossibleDuplicate,
    Precision,
    Status,
)
from portal.patients.names.vocabulary import find_similar_to_each, name_query, word_query
from portal.patients.normalize import phone_tail

MAX_MATCHES = 6  # matches that are returned, and that a page shows
# Patients compared of one birth date, name or phone. Thousands share a date that stands for
# "unknown" in some file, or the number of a switchboard.
MAX_PER_BIRTH_DATE, MAX_PER_NAME, MAX_PER_PHONE = 400, 100, 50
MAX_SIMILAR_WORDS = 40  # words of the vocabulary that stand in for one word of a family name

_GRADE_ORDER = {grade: place for place, grade in enumerate(MatchGrade)}


def find_matches(
    patients: QuerySet[Patient],
    details: Mapping[str, Any],
    *,
    exact_only: bool = False,
    before: Mapping[str, Any] | None = None,
) -> list[Match]:
    """Returns the patients who may be the person of validated data, the surest first.

    They are active, or have one of the person's identifiers; at most MAX_MATCHES are returned.
    `exact_only` looks by the exact rule and by identifier alone, for channels that can ask
    nobody. Where the data were changed, `before` is what they were: then only those count who
    match better than before.
    """
    new, old = compared_fields(details), compared_fields(before or {})
    if new == old:
        return []
    holders = _identifiers_by_holder(identifier_keys(details))
    rows = [*patients.order_by().filter(pk__in=holders).values("id", *COMPARED_COLUMNS)]
    if exact_only or patients.query.where:
        active = patients.filter(status=Status.ACTIVE).order_by()
        for candidates in _candidate_queries(active, details, new, exact_only=exact_only):
            rows += candidates.values("id", *COMPARED_COLUMNS)
    else:  # As on the form of a new person, while the user types.
        limits = Limits(MAX_PER_BIRTH_DATE, MAX_PER_NAME, MAX_PER_PHONE)
        rows += read_candidates(_sought(details, new), limits)
    matches = []
    for patient_id, row in {row["id"]: row for row in rows}.items():
        known = compared_fields(row, holders.get(patient_id, []))
        match = grade_match(patient_id, known, new=new)
        if match and _is_better(match, grade_match(patient_id, known, new=old)):
            matches.append(match)
    if exact_only:
        matches = [match for match in matches if match.grade is MatchGrade.CERTAIN]
    return sorted(matches, key=_surest_first)[:MAX_MATCHES]


def _surest_first(match: Match) -> tuple[int, UUID]:
    return _GRADE_ORDER[match.grade], match.patient_id


def _is_better(match: Match, earlier: Match | None) -> bool:
    return earlier is None or _GRADE_ORDER[match.grade] < _GRADE_ORDER[earlier.grade]


def _identifiers_by_holder(keys: set[IdentifierKey]) -> dict[UUID, list[IdentifierKey]]:
    """Returns the patients, of any status, that have these identifiers, each with those it has."""
    holders: dict[UUID, list[IdentifierKey]] = {}
    if keys:
        rows = PatientIdentifier.objects.filter(identifier_filter(keys))
        for patient_id, system, value in rows.values_list("patient", "system", "value"):
            holders.setdefault(patient_id, []).append((system, value))
    return holders


def identifier_filter(keys: Iterable[IdentifierKey]) -> Q:
    """Returns the condition for rows of these identifiers.

    For no identifiers it is true for every row, so ask before.
    """
    condition = Q()
    for system, value in keys:
        condition |= Q(system=system, value=value)
    return condition


def _sought(details: Mapping[str, Any], new: ComparedFields) -> Sought:
    """Returns what one statement is to look for: the same as `_candidate_queries`."""
    name, born, _ = person = person_key(details)
    births = _similar_births(born, new.precision) if born and name else set()
    return Sought(
        name=name or None,
        exact_birth=born if name and has_exact_birth(person) else None,
        births=births,
        words=word_query([_similar_family_names(new)]) if births else None,
        given=new.given,
        phone_tails={phone_tail(phone) for phone in new.phones},
    )


def _candidate_queries(
    active: QuerySet[Patient],
    details: Mapping[str, Any],
    new: ComparedFields,
    *,
    exact_only: bool,
) -> Iterator[QuerySet[Patient]]:
    """Yields one small query for each index."""
    person = person_key(details)
    name, born, _ = person
    if name and has_exact_birth(person):
        yield active.filter(name_key=name, date_of_birth=born)
        if exact_only:  # The same words may be parted otherwise, as in O Brien and O'Brien.
            yield _with_any_name(active.filter(date_of_birth=born), new)
    if exact_only:
        return
    if name:
        yield active.filter(name_key=name)[:MAX_PER_NAME]
    if born and name:
        same_birth = active.filter(date_of_birth__in=_similar_births(born, new.precision))
        yield _with_similar_family_name(same_birth, new)[:MAX_PER_BIRTH_DATE]
        yield _with_any_name(same_birth, new)
    for phone in sorted(new.phones):
        tail = phone_tail(phone)
        yield active.filter(phone_tail__startswith=tail)[:MAX_PER_PHONE]
        has_second = Q(second_phone_tail__startswith=tail) & ~Q(second_phone_tail="")
        yield active.filter(has_second)[:MAX_PER_PHONE]


def _similar_births(born: date, precision: str) -> set[date]:
    """Returns the dates that may be stored for this birth.

    Where less of it was known, the first day of the month or year is stored; day and month may
    be swapped. A year alone gives none: thousands share it, and the name has to find them.
    """
    if precision == Precision.YEAR:
        return set()
    first_of_month, first_of_year = born.replace(day=1), born.replace(day=1, month=1)
    return {born, first_of_month, first_of_year, swap_day_and_month(born) or born}


def _with_similar_family_name(
    patients: QuerySet[Patient], new: ComparedFields
) -> QuerySet[Patient]:
    """Returns those with a word of the family name, or a similar one, anywhere in their names.

    Those with the same given name come first.
    """
    same_given_first = Case(When(given_key__startswith=new.given, then=Value(0)), default=Value(1))
    found = patients.filter(name_words=name_query([_similar_family_names(new)]))
    return found.order_by(same_given_first, "pk")


def _similar_family_names(new: ComparedFields) -> list[str]:
    """Returns the words of the family name and those that are alike, out of one statement."""
    words = {*(new.family or new.given).split(), new.family.replace(" ", "")} - {""}
    alike = find_similar_to_each(sorted(words), limit=MAX_SIMILAR_WORDS)
    return sorted(words.union(near.word for found in alike for near in found))


def _with_any_name(same_birth: QuerySet[Patient], new: ComparedFields) -> QuerySet[Patient]:
    """Returns also those whose similarity no single word shows, as MacDonald and Mac Donald.

    Where very many share the date, only those with the same given name are compared: any other
    choice would find the person by chance alone, and take longer than all the rest.
    """
    has_too_many = same_birth[MAX_PER_BIRTH_DATE : MAX_PER_BIRTH_DATE + 1].exists()
    if has_too_many:
        return same_birth.filter(given_key__startswith=new.given)[:MAX_PER_NAME]
    return same_birth


def exclude_dismissed(patients: QuerySet[Patient], patient_id: UUID) -> QuerySet[Patient]:
    """Returns the patients without this one and without those of its dismissed pairs."""
    dismissed = PossibleDuplicate.objects.filter(state=PairState.DISMISSED)
    return patients.exclude(
        Q(pk=patient_id)
        | Q(pk__in=dismissed.filter(first=patient_id).values("second"))
        | Q(pk__in=dismissed.filter(second=patient_id).values("first"))
    )
