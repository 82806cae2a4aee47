"""The patients who may be the person of these details: found by index, then compared by the rules of duplicates."""

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Case, Q, QuerySet, Value, When

from portal.errors import Conflict, FieldProblem
from portal.patients.matching.rules import (
    COMPARED_COLUMNS,
    ComparedFields,
    IdentifierKey,
    Match,
    MatchGrade,
    compared_fields,
    grade_match,
    identifier_keys,
    person_key,
    stored_details,
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
from portal.patients.names.vocabulary import find_similar_words, name_query
from portal.patients.normalize import e164, phone_tail

MAX_MATCHES = 6
# A day that stands for "unknown" in some file has thousands of people, and a switchboard's number too.
MAX_PER_BIRTH_DATE, MAX_PER_NAME, MAX_PER_PHONE = 400, 100, 50


def find_matches(
    patients: QuerySet[Patient],
    details: Mapping[str, Any],
    *,
    exact_only: bool = False,
    before: Mapping[str, Any] | None = None,
) -> list[Match]:
    """The matches among active patients and the holders of the same identifiers, the surest first, at most SHOWN.

    `exact_only` looks by the exact rule and by identifier alone, for doors where nobody can be asked. Where details
    were changed, `before` is what they were: then only those who match better than before.
    """
    new, old = compared_fields(details), compared_fields(before or {})
    if new == old:
        return []
    holders = _holders(identifier_keys(details))
    active = patients.filter(status=Status.ACTIVE).order_by()
    found = {
        row["id"]: row
        for row in patients.order_by().filter(pk__in=holders).values("id", *COMPARED_COLUMNS)
    }
    for rows in _lookups(active, details, new, exact_only=exact_only):
        found |= {row["id"]: row for row in rows.values("id", *COMPARED_COLUMNS)}
    known = {one: compared_fields(row, holders.get(one, [])) for one, row in found.items()}
    matches = [match for one, facts in known.items() if (match := grade_match(one, facts, new=new))]
    matches = [
        match
        for match in matches
        if _is_nearer(match, grade_match(match.patient_id, known[match.patient_id], new=old))
    ]
    wanted = [match for match in matches if match.grade is MatchGrade.CERTAIN or not exact_only]
    return sorted(wanted, key=lambda match: (_ORDER[match.grade], match.patient_id))[:MAX_MATCHES]


def exclude_dismissed(patients: QuerySet[Patient], patient_id: UUID) -> QuerySet[Patient]:
    """Without the patient, and without those of whom somebody said that they are other people."""
    pairs = PossibleDuplicate.objects.filter(state=PairState.DISMISSED)
    return patients.exclude(
        Q(pk=patient_id)
        | Q(pk__in=pairs.filter(first=patient_id).values("second"))
        | Q(pk__in=pairs.filter(second=patient_id).values("first"))
    )


_ORDER = {grade: place for place, grade in enumerate(MatchGrade)}


def _is_nearer(match: Match, earlier: Match | None) -> bool:
    return earlier is None or _ORDER[match.grade] < _ORDER[earlier.grade]


def _holders(pairs: set[IdentifierKey]) -> dict[UUID, list[IdentifierKey]]:
    """Who holds these identifiers, whatever became of the patient: the database gives an identifier to one only."""
    held: dict[UUID, list[IdentifierKey]] = {}
    if pairs:
        rows = PatientIdentifier.objects.filter(identifier_filter(pairs))
        for patient_id, system, value in rows.values_list("patient", "system", "value"):
            held.setdefault(patient_id, []).append((system, value))
    return held


def identifier_filter(pairs: Iterable[IdentifierKey]) -> Q:
    """The rows of identifiers that are one of these pairs; of no pairs every row, so ask first."""
    wanted = Q()
    for system, value in pairs:
        wanted |= Q(system=system, value=value)
    return wanted


def _lookups(
    active: QuerySet[Patient], details: Mapping[str, Any], new: ComparedFields, *, exact_only: bool
) -> Iterable[QuerySet[Patient]]:
    """One small question for each index."""
    name, born = person_key(details)
    if name and born:
        yield active.filter(sort_key=name, date_of_birth=born)
    if exact_only:
        return
    if name:
        yield active.filter(sort_key=name)[:MAX_PER_NAME]
    if born and name:
        that_day = active.filter(date_of_birth__in=_births(born, new.precision))
        yield _namesakes(that_day, new)[:MAX_PER_BIRTH_DATE]
        yield _others(that_day, new)
    if new.phone:
        yield active.filter(phone_tail__startswith=phone_tail(new.phone))[:MAX_PER_PHONE]


def _namesakes(patients: QuerySet[Patient], new: ComparedFields) -> QuerySet[Patient]:
    """Those with a word of the family name, or one near to it, anywhere in their names; the same given name first."""
    words = {*(new.family or new.given).split(), new.family.replace(" ", "")} - {""}
    near = {one.word for word in words for one in find_similar_words(word)}
    is_first = Case(When(given_key__startswith=new.given, then=Value(0)), default=Value(1))
    return patients.filter(name_words=name_query([sorted(words | near)])).order_by(is_first, "pk")


def _others(that_day: QuerySet[Patient], new: ComparedFields) -> QuerySet[Patient]:
    """Also names alike in a way that no single word shows, as MacDonald, Mac Donald.

    Of a crowd only those with the same given name: some of it, as the database finds them, would tell by chance only,
    and comparing them takes longer than all the rest.
    """
    is_crowd = that_day[MAX_PER_BIRTH_DATE : MAX_PER_BIRTH_DATE + 1].exists()
    return that_day.filter(given_key__startswith=new.given)[:MAX_PER_NAME] if is_crowd else that_day


def _births(born: date, precision: str) -> set[date]:
    """As it may be stored where less of it was known, or where day and month were exchanged."""
    if precision == Precision.YEAR:
        return set()  # The name has to tell: eleven thousand people share a year.
    return {
        born,
        born.replace(day=1),
        born.replace(day=1, month=1),
        swap_day_and_month(born) or born,
    }


UNIDENTIFIED_REASON = "The person cannot be identified"  # A reason for the log that tells the person apart from nobody.
IDENTIFIER_TAKEN = (
    "One of these identifiers belongs to another patient. Search for it and open that patient."
)
_THERE = (
    "A patient with this name and date of birth is registered already. "
    "Open that patient, or say why this is another person."
)
_LOCK_PEOPLE = """
    SELECT pg_advisory_xact_lock(key)
    FROM (SELECT DISTINCT hashtextextended(person, 0) AS key FROM unnest(%s::text[]) AS person ORDER BY key) AS in_order
"""


def refuse_duplicates(
    details: Mapping[str, Any], *, override_reason: str, shown: Collection[UUID] | None
) -> list[str]:
    """The ids of those who are much like this new person and were said to be others; Conflict if nobody said so.

    See `register_patient`. Call it in the transaction that registers: until it ends nobody else registers this person.
    """
    name, born = person_key(details)
    if born is not None:
        lock_people([(name, born)])
    found = find_matches(Patient.objects.all(), details, exact_only=shown is None)
    return _decided(found, override_reason=override_reason, shown=shown)


def refuse_duplicates_after_change(
    patient: Patient, changes: Mapping[str, Any], *, override_reason: str, shown: Collection[UUID]
) -> list[str]:
    """The same for a change: only those whom it makes like this patient, exactly or probably, stand in its way.

    Call it before the patient's row is locked, as who imports locks the people first and then the rows.
    """
    before = stored_details(patient)
    after = {**before, **changes}
    if {"phone", "country"} & changes.keys():
        after["phone_e164"] = e164(after["phone"], changes.get("country", patient.country))
    name, born = person_key(after)
    if born is not None and (name, born) != person_key(before):
        lock_people([(name, born)])
    found = find_matches(exclude_dismissed(Patient.objects.all(), patient.pk), after, before=before)
    return _decided(
        [match for match in found if match.grade.is_strong],
        override_reason=override_reason,
        shown=shown,
    )


def _decided(
    found: list[Match], *, override_reason: str, shown: Collection[UUID] | None
) -> list[str]:
    if any(match.shared_identifiers for match in found):
        raise _conflict(
            IDENTIFIER_TAKEN, found, errors=[FieldProblem("identifiers", "taken", IDENTIFIER_TAKEN)]
        )
    if shown is not None and any(match.patient_id not in shown for match in found):
        raise _conflict(
            "Patients who may be this person are here already. Look at them before you save.", found
        )
    if not override_reason and any(match.grade.is_strong for match in found):
        raise _conflict(_THERE, found)
    return [str(match.patient_id) for match in found]


def _conflict(
    words: str, found: list[Match], *, errors: list[FieldProblem] | None = None
) -> Conflict:
    """The strong matches stand in `patientIds`, which older clients read; every one is among the `candidates`."""
    return Conflict(
        words,
        errors=errors,
        patientIds=[str(match.patient_id) for match in found if match.grade.is_strong],
        candidates=[
            {"id": str(match.patient_id), "grade": match.grade.value, "reasons": [*match.reasons]}
            for match in found
        ],
        duplicate=True,
    )


def lock_people(people: Iterable[tuple[str, date | None]]) -> None:
    """Until our transaction ends, nobody else registers people of these (folded name, date of birth).

    Call it before looking whether they are here: two doors that register one person at once queue, and the second sees
    the patient of the first. One statement in one order, so that two callers never wait for each other in a circle.
    """
    with connection.cursor() as cursor:
        cursor.execute(_LOCK_PEOPLE, [[f"{name}|{born}" for name, born in people]])
