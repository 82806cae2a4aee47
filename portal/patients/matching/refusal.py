"""Nobody is registered twice: who is here is looked up behind a lock, and stands in the way until somebody decides."""

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import Any
from uuid import UUID

from django.db import connection

from portal.errors import Conflict, FieldProblem
from portal.patients.matching.duplicates import Match, person_key
from portal.patients.matching.facts import known_details
from portal.patients.matching.similar import others_than, similar_in
from portal.patients.models import Patient
from portal.patients.words import e164

TAKEN = "One of these identifiers belongs to another patient. Search for it and open that patient."
_THERE = (
    "A patient with this name and date of birth is registered already. "
    "Open that patient, or say why this is another person."
)
_LOCK_PEOPLE = """
    SELECT pg_advisory_xact_lock(key)
    FROM (SELECT DISTINCT hashtextextended(person, 0) AS key FROM unnest(%s::text[]) AS person ORDER BY key) AS in_order
"""


def refuse_duplicates(details: Mapping[str, Any], *, reason: str, shown: Collection[UUID] | None) -> list[str]:
    """The ids of those who are much like this new person and were said to be others; Conflict if nobody said so.

    See `register_patient`. Call it in the transaction that registers: until it ends nobody else registers this person.
    """
    name, born = person_key(details)
    if born is not None:
        lock_people([(name, born)])
    found = similar_in(Patient.objects.all(), details, exact_only=shown is None)
    return _decided(found, reason=reason, shown=shown)


def refuse_new_likeness(
    patient: Patient, changes: Mapping[str, Any], *, reason: str, shown: Collection[UUID]
) -> list[str]:
    """The same for a change: only those whom it makes like this patient, exactly or probably, stand in its way.

    Call it before the patient's row is locked, as who imports locks the people first and then the rows.
    """
    before = known_details(patient)
    after = {**before, **changes}
    if {"phone", "country"} & changes.keys():
        after["phone_e164"] = e164(after["phone"], changes.get("country", patient.country))
    name, born = person_key(after)
    if born is not None and (name, born) != person_key(before):
        lock_people([(name, born)])
    found = similar_in(others_than(Patient.objects.all(), patient.pk), after, before=before)
    return _decided([match for match in found if match.grade.is_strong], reason=reason, shown=shown)


def _decided(found: list[Match], *, reason: str, shown: Collection[UUID] | None) -> list[str]:
    if any(match.holds for match in found):
        raise _conflict(TAKEN, found, errors=[FieldProblem("identifiers", "taken", TAKEN)])
    if shown is not None and any(match.patient_id not in shown for match in found):
        raise _conflict("Patients who may be this person are here already. Look at them before you save.", found)
    if not reason and any(match.grade.is_strong for match in found):
        raise _conflict(_THERE, found)
    return [str(match.patient_id) for match in found]


def _conflict(words: str, found: list[Match], *, errors: list[FieldProblem] | None = None) -> Conflict:
    """The strong matches stand in `patientIds`, which older clients read; every one is among the `candidates`."""
    return Conflict(
        words,
        errors=errors,
        patientIds=[str(match.patient_id) for match in found if match.grade.is_strong],
        candidates=[
            {"id": str(match.patient_id), "grade": match.grade.value, "reasons": [*match.reasons]} for match in found
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
