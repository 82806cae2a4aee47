"""Refuses to register a person, or to change one, beside a match that the user has not seen."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any
from uuid import UUID

from portal.errors import Conflict, FieldProblem
from portal.patients.matching.exact import may_match_exactly
from portal.patients.matching.lookup import exclude_dismissed, find_matches
from portal.patients.matching.rules import (
    Match,
    MatchGrade,
    PersonKey,
    has_exact_birth,
    person_key,
    stored_details,
)
from portal.patients.models import Patient
from portal.patients.normalize import e164_after_change
from portal.prepared import Call, execute_prepared

UNIDENTIFIED_REASON = "The person cannot be identified"  # an override reason that dismisses nobody
IDENTIFIER_TAKEN = (
    "One of these identifiers belongs to another patient. Search for it and open that patient. "
    "If several people share the number, such as a family, leave it out here."
)
_ALREADY_REGISTERED = (
    "A patient with this name and date of birth is registered already. "
    "Open that patient, or say why this is another person."
)
_PROBABLY_REGISTERED = (
    "A patient who is probably this person is registered already. "
    "Open that patient, or say why this is another person."
)
_NOT_SHOWN = "Patients who may be this person are here already. Look at them before you save."
LOCK_NUMBER = "hashtextextended(person, 0)"  # Of the text in a column `person`.
_LOCK_PEOPLE = f"""
    (text[]) AS SELECT pg_advisory_xact_lock(key)
    FROM (
        SELECT DISTINCT {LOCK_NUMBER} AS key
        FROM unnest($1) AS person ORDER BY key
    ) AS in_order
"""  # noqa: S608 - constants


def refuse_duplicates(
    details: Mapping[str, Any], *, override_reason: str, shown: Collection[UUID] | None
) -> list[str]:
    """Returns the ids of patients that the new person matches; Conflict if one stands in the way.

    See `register_patient` for what stands in the way. Call it in the transaction that registers:
    until that ends, no other transaction can register this person.
    """
    person = person_key(details)
    if has_exact_birth(person):
        lock_people([person])
    if shown is None and not may_match_exactly(details):
        return []
    matches = find_matches(Patient.objects.all(), details, exact_only=shown is None)
    return _accepted_ids(matches, override_reason=override_reason, shown=shown)


def refuse_duplicates_after_change(
    patient: Patient,
    changes: Mapping[str, Any],
    *,
    override_reason: str,
    shown: Collection[UUID],
) -> list[str]:
    """Does the same for a change: only strong matches that it brings about stand in its way.

    Call it before the patient's row is locked: an import locks people first and rows then.
    """
    before = stored_details(patient)
    after = {**before, **changes}
    if {"phone", "country"} & changes.keys():
        country = changes.get("country", patient.country)
        kept = (patient.phone, patient.phone_e164)
        after["phone_e164"] = e164_after_change(after["phone"], country, before=kept)
    person = person_key(after)
    if has_exact_birth(person) and person != person_key(before):
        lock_people([person])
    others = exclude_dismissed(Patient.objects.all(), patient.pk)
    matches = find_matches(others, after, before=before)
    strong = [match for match in matches if match.grade.is_strong]
    return _accepted_ids(strong, override_reason=override_reason, shown=shown)


def lock_people(people: Iterable[PersonKey]) -> None:
    """Keeps other transactions from registering these people until this one ends.

    Call it before looking whether they are here: two users who register one person at once
    queue up, and the second one sees the patient of the first. One statement locks in one order,
    so that two callers never wait for each other in a circle.
    """
    execute_prepared(*lock_call(people))


def lock_call(people: Iterable[PersonKey]) -> Call:
    """Returns the statement of `lock_people`, to send together with others."""
    return Call("lock_people", lambda: _LOCK_PEOPLE, [[*map(lock_text, people)]])


def lock_text(person: PersonKey) -> str:
    """Returns letters that all spellings of a name share, and the birth; see `LOCK_NUMBER`.

    Others who have them just wait as well. Words may be parted and ordered otherwise, and have ae
    for ä or an article.
    """
    name, born, _ = person
    letters = "".join(sorted(set(name) - set(" aeال")))
    return f"{letters}|{born}"


def _accepted_ids(
    matches: list[Match], *, override_reason: str, shown: Collection[UUID] | None
) -> list[str]:
    if any(match.shared_identifiers for match in matches):
        problem = FieldProblem("identifiers", "taken", IDENTIFIER_TAKEN)
        raise _conflict(IDENTIFIER_TAKEN, matches, errors=[problem])
    if shown is not None and any(match.patient_id not in shown for match in matches):
        raise _conflict(_NOT_SHOWN, matches)
    if not override_reason and any(match.grade.is_strong for match in matches):
        is_certain = any(match.grade is MatchGrade.CERTAIN for match in matches)
        raise _conflict(_ALREADY_REGISTERED if is_certain else _PROBABLY_REGISTERED, matches)
    return [str(match.patient_id) for match in matches]


def _conflict(
    detail: str, matches: list[Match], *, errors: list[FieldProblem] | None = None
) -> Conflict:
    """Returns the refusal. `patientIds`, which older clients read, has the strong matches only."""
    return Conflict(
        detail,
        errors=errors,
        patientIds=[str(match.patient_id) for match in matches if match.grade.is_strong],
        candidates=[
            {"id": str(match.patient_id), "grade": match.grade.value, "reasons": [*match.reasons]}
            for match in matches
        ],
        duplicate=True,
    )
