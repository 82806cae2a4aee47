"""Patients as files that an import reads back without a change: CSV, or FHIR NDJSON."""

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from portal.csv_safe import csv_header, csv_line
from portal.imports import fhir_codes as fhir
from portal.imports.identifier_cell import format_cell
from portal.imports.readers.columns import IDENTIFIER_CELL, MRN, RECORD
from portal.patients.fields import ENTERED
from portal.patients.models import Patient, PatientIdentifier, Status
from portal.stored_dates import known_date

INCOMPLETE = "This file is not complete: the export stopped here. Export again."
HEADER = [RECORD, MRN, *ENTERED, IDENTIFIER_CELL, "status"]
_DATE_LENGTH = {"year": 4, "month": 7, "day": 10}  # Characters of an ISO date that are known.


def csv_lines(patients: Iterable[Patient]) -> Iterator[str]:
    """Yields the header and a line for each patient; formulas are made harmless.

    Where the patients cannot be read to their end, the last line says so, and an import refuses it.
    """
    yield csv_header(HEADER)
    try:
        for patient in patients:
            yield csv_line(_cells(patient))
    except Exception:
        yield csv_line([INCOMPLETE])
        raise


def _cells(patient: Patient) -> list[str]:
    values = [str(getattr(patient, name) or "") for name in ENTERED]
    parts = map(_identifier_parts, patient.identifiers.all())
    return [str(patient.pk), patient.mrn, *values, format_cell(parts), patient.status]


def _identifier_parts(identifier: PatientIdentifier) -> list[str]:
    days = [str(day or "") for day in (identifier.valid_from, identifier.valid_to)]
    return [identifier.system, identifier.value, *days]


def ndjson_lines(patients: Iterable[Patient]) -> Iterator[str]:
    """Yields a FHIR R4 Patient on each line.

    Where the patients cannot be read to their end, the last line is an OperationOutcome.
    """
    try:
        for patient in patients:
            yield _json_line(patient_resource(patient))
    except Exception:
        issue = {"severity": "fatal", "code": "incomplete", "diagnostics": INCOMPLETE}
        yield _json_line({"resourceType": "OperationOutcome", "issue": [issue]})
        raise


def _json_line(resource: dict[str, Any]) -> str:
    return json.dumps(resource, ensure_ascii=False, separators=(",", ":")) + "\n"


CONTENT_TYPES = {"csv": "text/csv; charset=utf-8", "ndjson": "application/fhir+ndjson"}
WRITERS: dict[str, Callable[[Iterable[Patient]], Iterator[str]]] = {
    "csv": csv_lines,
    "ndjson": ndjson_lines,
}


def patient_resource(patient: Patient) -> dict[str, Any]:
    """Returns the patient as a FHIR R4 Patient; what is not recorded is left out."""
    language = _concept(fhir.LANGUAGES, patient.language)
    resource = {
        "resourceType": "Patient",
        "id": str(patient.pk),
        "extension": list(_extensions(patient)),
        "identifier": [_mrn(patient), *map(_identifier, patient.identifiers.all())],
        "active": patient.status == Status.ACTIVE,
        "name": list(_names(patient)),
        "telecom": list(_telecom(patient)),
        "gender": patient.sex,
        "birthDate": _birth_date(patient),
        "deceasedDateTime": str(patient.deceased_on or ""),
        "address": [address] if (address := _address(patient)) else [],
        "maritalStatus": _marital_status(patient),
        "communication": [{"language": language}] if patient.language else [],
    }
    return _without_blanks(resource)


def _without_blanks(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value not in ("", None, [], {})}


def _extensions(patient: Patient) -> Iterator[dict[str, Any]]:
    for url, text in ((fhir.RACE, patient.race), (fhir.ETHNICITY, patient.ethnicity)):
        if text:
            yield {"url": url, "extension": [{"url": "text", "valueString": text}]}
    yield {"url": fhir.REGISTERED_ON, "valueDate": str(patient.registered_on)}


def _mrn(patient: Patient) -> dict[str, Any]:
    return {
        "use": "official",
        "type": _concept(fhir.IDENTIFIER_TYPES, "MR"),
        "system": fhir.MRN_SYSTEM,
        "value": patient.mrn,
    }


def _identifier(identifier: PatientIdentifier) -> dict[str, Any]:
    """Writes a short code of ours as a URI, as FHIR wants it, with the type that others know."""
    system = identifier.system
    code = fhir.TYPE_OF_SYSTEM.get(system)
    return _without_blanks(
        {
            "type": _concept(fhir.IDENTIFIER_TYPES, code) if code else {},
            "system": system if ":" in system else fhir.SHORT_SYSTEM + system,
            "value": identifier.value,
            "period": _without_blanks(
                {
                    "start": str(identifier.valid_from or ""),
                    "end": str(identifier.valid_to or ""),
                }
            ),
        }
    )


def _names(patient: Patient) -> Iterator[dict[str, Any]]:
    yield _without_blanks(
        {
            "use": "official",
            "text": patient.full_name,
            "family": patient.family_name,
            "given": [name for name in (patient.given_name, patient.middle_name) if name],
            "prefix": [patient.prefix] if patient.prefix else [],
            "suffix": [patient.suffix] if patient.suffix else [],
        }
    )
    if patient.preferred_name:
        yield {"use": "nickname", "given": [patient.preferred_name]}


def _telecom(patient: Patient) -> Iterator[dict[str, str]]:
    if patient.phone:
        yield {"system": "phone", "value": patient.phone}
    if patient.email:
        yield {"system": "email", "value": patient.email}


def _birth_date(patient: Patient) -> str:
    if known_date(patient.date_of_birth) is None:
        return str(patient.date_of_birth or "")  # An impossible one as it is stored.
    return str(patient.date_of_birth)[: _DATE_LENGTH[patient.date_of_birth_precision]]


def _address(patient: Patient) -> dict[str, Any]:
    return _without_blanks(
        {
            "line": [line for line in (patient.address_line1, patient.address_line2) if line],
            "city": patient.city,
            "state": patient.region,
            "postalCode": patient.postal_code,
            "country": patient.country,
        }
    )


def _marital_status(patient: Patient) -> dict[str, Any]:
    """Takes one letter for a code of HL7; anything else was typed and stays text."""
    status = patient.marital_status
    if len(status) == 1:
        return _concept(fhir.MARITAL_STATUS, status)
    return _without_blanks({"text": status})


def _concept(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}
