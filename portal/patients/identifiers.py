"""The identifiers of patients as `services` writes them: for many at once, inside its transaction."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from portal.errors import Conflict, FieldProblem, InvalidInput
from portal.patients.matching.lookup import IDENTIFIER_TAKEN
from portal.patients.models import Patient, PatientIdentifier
from portal.patients.validation import ENDS_BEFORE_START, VALIDITY, ends_before_start

Details = Mapping[str, Any]


def replace_identifiers(pairs: list[tuple[Patient, Details]]) -> set[UUID]:
    """Each patient holds the identifiers of its details and no others, with the days that these name; whose changed."""
    there: dict[UUID, dict[tuple[str, str], PatientIdentifier]] = {
        patient.pk: {} for patient, _ in pairs
    }
    for one in PatientIdentifier.objects.filter(patient__in=there):
        there[one.patient_id][one.system, one.value] = one
    gone, moved, new = [], [], []
    for patient, details in pairs:
        wanted, held = (
            {(one["system"], one["value"]): one for one in details["identifiers"]},
            there[patient.pk],
        )
        gone += [one for pair, one in held.items() if pair not in wanted]
        moved += [
            one for pair, one in held.items() if pair in wanted and _set_days(one, wanted[pair])
        ]
        new.append(
            (patient, {"identifiers": [one for pair, one in wanted.items() if pair not in held]})
        )
    if gone:
        PatientIdentifier.objects.filter(pk__in=[one.pk for one in gone]).delete()
    if moved:
        PatientIdentifier.objects.bulk_update(moved, VALIDITY)
    add_identifiers(new)
    came = {patient.pk for patient, details in new if details["identifiers"]}
    return came | {one.patient_id for one in [*gone, *moved]}


def _set_days(identifier: PatientIdentifier, wanted: Details) -> bool:
    """Put the days that are named into the identifier in memory; whether one differs."""
    different = {
        name: wanted[name]
        for name in VALIDITY
        if name in wanted and getattr(identifier, name) != wanted[name]
    }
    for name, day in different.items():
        setattr(identifier, name, day)
    if ends_before_start(identifier.valid_from, identifier.valid_to):
        raise InvalidInput(
            errors=[FieldProblem("identifiers", "ends-before-start", ENDS_BEFORE_START)]
        )
    return bool(different)


def add_identifiers(pairs: Sequence[tuple[Patient, Details]]) -> None:
    """Give each patient the identifiers of its details; Conflict if one of them belongs to someone else."""
    try:
        with transaction.atomic():
            insert_identifiers(pairs)
    except IntegrityError as error:
        raise Conflict(
            IDENTIFIER_TAKEN, errors=[FieldProblem("identifiers", "taken", IDENTIFIER_TAKEN)]
        ) from error


def insert_identifiers(pairs: Sequence[tuple[Patient, Details]]) -> None:
    """The same with an IntegrityError, for who asks before.

    In one order, so that two transactions that bring the same identifiers do not wait for each other in a circle.
    """
    columns = ("system", "value", *VALIDITY)
    rows = [
        PatientIdentifier(patient=patient, **{name: one.get(name) for name in columns})
        for patient, details in pairs
        for one in details.get("identifiers") or []
    ]
    rows.sort(key=lambda one: (one.system, one.value))
    if rows:
        PatientIdentifier.objects.bulk_create(rows)
