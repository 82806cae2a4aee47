"""Reads one patient with identifiers by one statement, which records the access too."""

from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import prefetch_related_objects

from portal.accounts.models import User
from portal.patients.models import Patient, PatientIdentifier
from portal.patients.patient_rows import STORED, patient_of
from portal.patients.recorded_reads import recorded_read, values_of_read
from portal.prepared import execute_prepared

_IDENTIFIERS = """(
    SELECT json_agg(
        json_build_array(id, system, value, valid_from, valid_to) ORDER BY system, value
    )
    FROM patients_patientidentifier WHERE patient_id = patients_patient.id
)"""


def read_opened(
    user: User | None, patient_id: UUID, *, action: str, channel: str
) -> Patient | None:
    """Returns the patient, and records the access; None for no patient."""
    values = values_of_read(user, [patient_id], action=action, channel=channel)
    rows = execute_prepared("open_patient", _statement, values)
    if not rows:
        return None
    *stored, identifiers = rows[0]
    patient = patient_of(stored)
    _set_identifiers(patient, identifiers or [])
    return patient


def _statement() -> str:
    columns = {name: f"patients_patient.{name}" for name in STORED}
    return recorded_read({**columns, "identifiers": _IDENTIFIERS})


def _set_identifiers(patient: Patient, rows: list[list[Any]]) -> None:
    """Gives the patient these identifiers, as prefetch_related does, which would read them anew."""
    try:
        held = [_identifier(patient, *row) for row in rows]
    except ValueError:  # A day that JSON has and Python has not.
        prefetch_related_objects([patient], "identifiers")
        return
    identifiers = patient.identifiers.all()
    identifiers._result_cache = held
    cache = {"identifiers": identifiers}
    patient._prefetched_objects_cache = cache  # type: ignore[attr-defined]  # Django's own name.


def _identifier(
    patient: Patient, key: int, system: str, value: str, start: str | None, end: str | None
) -> PatientIdentifier:
    days = {"valid_from": _day(start), "valid_to": _day(end)}
    return PatientIdentifier(id=key, patient=patient, system=system, value=value, **days)


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
