"""Writes the identifiers of patients, for many at once, inside a transaction of `services`."""

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from portal.bulk_insert import insert_rows
from portal.errors import Conflict, FieldProblem, InvalidInput
from portal.patients.entered_dates import ENDS_BEFORE_START, ends_before_start
from portal.patients.entered_identifiers import VALIDITY
from portal.patients.matching.refusal import IDENTIFIER_TAKEN
from portal.patients.models import Patient, PatientIdentifier

Details = Mapping[str, Any]
Key = tuple[str, str]  # system and value


def replace_identifiers(pairs: list[tuple[Patient, Details]]) -> set[UUID]:
    """Gives each patient the identifiers of its details and no others; returns who changed.

    An identifier that stays keeps the days that its details do not name. Conflict if another
    patient holds one.
    """
    held = _held_identifiers([patient.pk for patient, _ in pairs])
    removed: list[PatientIdentifier] = []
    moved: list[PatientIdentifier] = []
    added: list[tuple[UUID, Details]] = []
    for patient, details in pairs:
        wanted = {(item["system"], item["value"]): item for item in details["identifiers"]}
        for key, identifier in held[patient.pk].items():
            if key not in wanted:
                removed.append(identifier)
            elif _assign_validity(identifier, wanted[key]):
                moved.append(identifier)
        new = [item for key, item in wanted.items() if key not in held[patient.pk]]
        if new:
            added.append((patient.pk, {"identifiers": new}))
    if removed:
        PatientIdentifier.objects.filter(pk__in=[row.pk for row in removed]).delete()
    if moved:
        PatientIdentifier.objects.bulk_update(moved, VALIDITY)
    add_identifiers(added)
    return {patient_id for patient_id, _ in added} | {row.patient_id for row in [*removed, *moved]}


def _held_identifiers(patient_ids: Sequence[UUID]) -> dict[UUID, dict[Key, PatientIdentifier]]:
    held: dict[UUID, dict[Key, PatientIdentifier]] = {patient_id: {} for patient_id in patient_ids}
    for identifier in PatientIdentifier.objects.filter(patient__in=patient_ids):
        held[identifier.patient_id][identifier.system, identifier.value] = identifier
    return held


def _assign_validity(identifier: PatientIdentifier, wanted: Details) -> bool:
    """Assigns the named days to the identifier in memory and returns whether one differs."""
    different = {
        name: wanted[name]
        for name in VALIDITY
        if name in wanted and getattr(identifier, name) != wanted[name]
    }
    for name, day in different.items():
        setattr(identifier, name, day)
    if ends_before_start(identifier.valid_from, identifier.valid_to):
        problem = FieldProblem("identifiers", "ends-before-start", ENDS_BEFORE_START)
        raise InvalidInput(errors=[problem])
    return bool(different)


def add_identifiers(pairs: Sequence[tuple[UUID, Details]]) -> None:
    """Gives each patient the identifiers of its details; Conflict if another patient holds one."""
    if not any(details.get("identifiers") for _, details in pairs):
        return
    try:
        with transaction.atomic():
            insert_identifiers(pairs)
    except IntegrityError as error:
        problem = FieldProblem("identifiers", "taken", IDENTIFIER_TAKEN)
        raise Conflict(IDENTIFIER_TAKEN, errors=[problem]) from error


def insert_identifiers(pairs: Sequence[tuple[UUID, Details]]) -> None:
    """Does the same with an IntegrityError, for callers that looked before.

    It inserts in one order, so that two transactions with the same identifiers do not wait for
    each other in a circle.
    """
    rows = [
        (item["system"], item["value"], item.get("valid_from"), item.get("valid_to"), patient_id)
        for patient_id, details in pairs
        for item in details.get("identifiers") or []
    ]
    rows.sort(key=itemgetter(0, 1))
    insert_rows(PatientIdentifier, ("system", "value", *VALIDITY, "patient"), rows)
