"""The patients that are on record before each import, and what they are at one moment."""

from typing import Any
from uuid import UUID

from portal.duplicates.merge import merge_patient
from portal.patients.models import Patient, PatientIdentifier, Source, Status
from portal.patients.services import change_patients, register_patients
from portal.patients.validation import validate_details
from tests.fuzz.drawn_file import MARK
from tests.fuzz.values import KNOWN_SSN

_NAMES = ["a", "b", "c", "d", "e"]  # As values.family_name gives to the rows of these numbers.


def register_known_people() -> None:
    """Registers active people, an archived one and a merged one, some with known identifiers."""
    people = []
    for number, ssn in enumerate([*KNOWN_SSN, ""]):
        details: dict[str, Any] = {"family_name": f"{MARK}{_NAMES[number]}", "given_name": "Anna"}
        if ssn:
            details["identifiers"] = [{"system": "ssn", "value": ssn}]
        if number % 2:
            details |= {"date_of_birth": "1984-03-15", "sex": "female", "city": "Salem"}
        people.append(validate_details(details))
    made = [patient.pk for patient in register_patients(people, by=None, source=Source.API)]
    change_patients([(made[2], {"status": Status.ARCHIVED})], by=None, source=Source.API)
    merge_patient(made[3], into=made[1], by=None, source=Source.API, reason="The same person.")


def record_state() -> dict[UUID, tuple[Any, ...]]:
    """Returns version, status and number of identifiers of each patient."""
    held: dict[UUID, int] = {}
    for patient_id in PatientIdentifier.objects.values_list("patient", flat=True):
        held[patient_id] = held.get(patient_id, 0) + 1
    patients = Patient.objects.values_list("pk", "version", "status")
    return {patient_id: (*state, held.get(patient_id, 0)) for patient_id, *state in patients}
