"""Patients as files that an import reads back without changing anything: CSV, or FHIR NDJSON."""

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from portal.csv_safe import csv_line
from portal.imports import fhir_codes as fhir
from portal.imports.identifier_cell import format_cell
from portal.imports.readers.columns import FIELDS, MRN, RECORD, TOKENS
from portal.patients.models import Patient, PatientIdentifier, Status

HEADER = [RECORD, MRN, *FIELDS, TOKENS, "status"]


def as_csv(patients: Iterable[Patient]) -> Iterator[str]:
    """A line for each patient behind the header; formulas are made harmless."""
    yield csv_line(HEADER)
    for patient in patients:
        tokens = format_cell((one.system, one.value) for one in patient.identifiers.all())
        values = [str(getattr(patient, name) or "") for name in FIELDS]
        yield csv_line([str(patient.pk), patient.mrn, *values, tokens, patient.status])


def as_ndjson(patients: Iterable[Patient]) -> Iterator[str]:
    """A FHIR R4 Patient on each line."""
    for patient in patients:
        yield (
            json.dumps(patient_resource(patient), ensure_ascii=False, separators=(",", ":")) + "\n"
        )


KINDS = {"csv": "text/csv; charset=utf-8", "ndjson": "application/fhir+ndjson"}
WRITERS: dict[str, Callable[[Iterable[Patient]], Iterator[str]]] = {
    "csv": as_csv,
    "ndjson": as_ndjson,
}


def patient_resource(patient: Patient) -> dict[str, Any]:
    """The patient as a FHIR R4 Patient resource; what is not recorded is left out."""
    resource = {
        "resourceType": "Patient",
        "id": str(patient.pk),
        "extension": list(_extensions(patient)),
        "identifier": [_mrn(patient), *map(_identifier, patient.identifiers.all())],
        "active": patient.status == Status.ACTIVE,
        "name": _names(patient),
        "telecom": list(_telecom(patient)),
        "gender": patient.sex,
        "birthDate": _birth(patient),
        "deceasedDateTime": str(patient.deceased_on or ""),
        "address": [address] if (address := _address(patient)) else [],
        "maritalStatus": _marital(patient),
        "communication": [{"language": _coded(fhir.LANGUAGES, patient.language)}]
        if patient.language
        else [],
    }
    return _filled(resource)


def _filled(found: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if value not in ("", None, [], {})}


def _extensions(patient: Patient) -> Iterator[dict[str, Any]]:
    for url, text in ((fhir.RACE, patient.race), (fhir.ETHNICITY, patient.ethnicity)):
        if text:
            yield {"url": url, "extension": [{"url": "text", "valueString": text}]}
    yield {"url": fhir.REGISTERED_ON, "valueDate": str(patient.registered_on)}


def _mrn(patient: Patient) -> dict[str, Any]:
    kind = {"coding": [{"system": fhir.TYPES, "code": "MR"}]}
    return {"use": "official", "type": kind, "system": fhir.MRN_SYSTEM, "value": patient.mrn}


def _identifier(identifier: PatientIdentifier) -> dict[str, Any]:
    """A short code of ours becomes a URI, as FHIR wants it, and the type that the field knows it by."""
    system = (
        identifier.system if ":" in identifier.system else fhir.SHORT_SYSTEM + identifier.system
    )
    code = fhir.TYPE_OF.get(identifier.system)
    kind = {"coding": [{"system": fhir.TYPES, "code": code}]} if code else {}
    return _filled({"type": kind, "system": system, "value": identifier.value})


def _names(patient: Patient) -> list[dict[str, Any]]:
    given = [name for name in (patient.given_name, patient.middle_name) if name]
    official = _filled(
        {
            "use": "official",
            "text": patient.full_name,
            "family": patient.family_name,
            "given": given,
            "prefix": [patient.prefix] if patient.prefix else [],
            "suffix": [patient.suffix] if patient.suffix else [],
        }
    )
    return (
        [official, {"use": "nickname", "given": [patient.preferred_name]}]
        if patient.preferred_name
        else [official]
    )


def _telecom(patient: Patient) -> Iterator[dict[str, str]]:
    if patient.phone:
        yield {"system": "phone", "value": patient.phone}
    if patient.email:
        yield {"system": "email", "value": patient.email}


def _birth(patient: Patient) -> str:
    length = {"year": 4, "month": 7, "day": 10}[patient.date_of_birth_precision]
    return str(patient.date_of_birth or "")[:length]


def _address(patient: Patient) -> dict[str, Any]:
    return _filled(
        {
            "line": [line for line in (patient.address_line1, patient.address_line2) if line],
            "city": patient.city,
            "state": patient.region,
            "postalCode": patient.postal_code,
            "country": patient.country,
        }
    )


def _marital(patient: Patient) -> dict[str, Any]:
    """One letter is a code of HL7; anything else was typed and stays text."""
    status = patient.marital_status
    return _coded(fhir.MARITAL_STATUS, status) if len(status) == 1 else _filled({"text": status})


def _coded(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}
