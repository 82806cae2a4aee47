"""Reads the details of a patient from a FHIR R4 Patient resource."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from portal.imports import fhir_codes as fhir
from portal.imports.readers import values
from portal.imports.readers.fhir_contact import read_address, read_telecom
from portal.imports.readers.fhir_identifiers import read_identifiers
from portal.imports.readers.fhir_names import read_name
from portal.imports.readers.fhir_parts import (
    InvalidResource,
    Part,
    count,
    get_code,
    get_object,
    get_objects,
    get_text,
)
from portal.imports.readers.fhir_standing import (
    died_on_day,
    is_archived,
    is_restricted,
    refuse_what_is_no_patient,
)
from portal.patients.fields import ENTERED_FIELDS, Section

_ISO_DATE = re.compile(r"\d{4}(-\d\d(-\d\d)?)?(T.*)?", re.DOTALL)
_NOT_ISO = "must be a date of FHIR, such as 1984-03-15, 1984-03 or 1984"
# Parts of a Patient that the portal has no place for, in words.
_WITHOUT_A_PLACE = {
    "contact": "contact",
    "link": "link",
    "photo": "photo",
    "generalPractitioner": "practitioner",
    "managingOrganization": "organization",
    "multipleBirthBoolean": "multiple birth",
    "multipleBirthInteger": "multiple birth",
    "contained": "contained resource",
    "implicitRules": "set of implicit rules",
}
_READ = frozenset(
    {
        *("resourceType", "id", "meta", "language", "text", "extension", "modifierExtension"),
        *("identifier", "active", "name", "telecom", "gender", "birthDate", "deceasedBoolean"),
        *("deceasedDateTime", "address", "maritalStatus", "communication"),
    }
)
_KNOWN = _READ | _WITHOUT_A_PLACE.keys()
_ACCURACY = "/date-accuracy-indicator"
_ABSENT = "/data-absent-reason"  # Says why there is no value: nothing is lost with it.

# Where each field stands in the resource, for messages.
PLACES = {field.name: field.fhir_path for field in ENTERED_FIELDS if field.fhir_path}
PLACES["identifiers"] = "identifier"

# A value of these that is not understood costs itself alone: the patient comes without it.
OPTIONAL = frozenset(field.name for field in ENTERED_FIELDS if field.section == Section.CONTACT) | {
    "prefix",
    "suffix",
    "preferred_name",
    "sex",
    "marital_status",
    "language",
    "race",
    "ethnicity",
}


@dataclass
class ReadResource:
    """What a resource says of a patient.

    `left_out` counts the parts that have no place in the portal, by kind.
    """

    details: dict[str, Any]
    left_out: dict[str, int]
    is_archived: bool = False


def read_resource(resource: Mapping[str, Any]) -> ReadResource:
    """Returns Patient's fields and `identifiers`, without what the resource leaves out.

    InvalidResource for a part of the wrong type, and for a resource that is no patient to register.
    """
    refuse_what_is_no_patient(resource)
    left_out = _parts_without_a_place(resource)
    details = read_name(resource, left_out)
    if is_restricted(resource, left_out):
        for kind in ("telecom", "address"):
            left_out[f"restricted {kind}"] += len(get_objects(resource, kind))
    else:
        details |= read_telecom(resource, left_out) | read_address(resource, left_out)
    details |= _person(resource, left_out) | _origins(resource, left_out)
    read: dict[str, Any] = {name: value for name, value in details.items() if value}
    if identifiers := read_identifiers(resource, left_out):
        read["identifiers"] = identifiers
    counted = {kind: found for kind, found in left_out.items() if found}
    return ReadResource(read, counted, is_archived(resource))


def _parts_without_a_place(resource: Mapping[str, Any]) -> Counter[str]:
    left_out: Counter[str] = Counter()
    known = (fhir.RACE, fhir.ETHNICITY, fhir.REGISTERED_ON)
    others = [item for item in get_objects(resource, "extension") if item.get("url") not in known]
    count(left_out, "extension", len(others))
    for name, value in resource.items():
        if name in _READ:
            continue
        if kind := _WITHOUT_A_PLACE.get(name):
            parts = value if isinstance(value, list) else [value]
            count(left_out, kind, sum(part is not None for part in parts))
        elif name.startswith("_") and isinstance(value, dict):
            count(left_out, "extension", len(_extensions_of_value(value, name)))
        elif name.lstrip("_") not in _KNOWN and value is not None:
            left_out["part that FHIR does not have"] += 1
    return left_out


def _extensions_of_value(value: Part, name: str) -> list[Part]:
    """Returns what is said beside a value, such as the hour of birth, and is not read."""
    extensions = get_objects(value, "extension", name)
    return [
        item for item in extensions if not str(item.get("url", "")).endswith((_ACCURACY, _ABSENT))
    ]


def _person(resource: Mapping[str, Any], left_out: Counter[str]) -> dict[str, str]:
    return {
        "date_of_birth": _birth_date(resource, left_out),
        "sex": values.normalise_sex(get_text(resource, "gender")),
        "deceased_on": died_on_day(resource),
        "marital_status": _marital_status(get_object(resource, "maritalStatus")),
        "language": _language(resource, left_out),
    }


def _marital_status(concept: Part) -> str:
    """Returns HL7's code, else words: a number of another system says nothing to a reader."""
    if not concept:
        return ""
    codings = get_objects(concept, "coding", "maritalStatus")
    for coding in codings:
        code = get_text(coding, "code", "maritalStatus")
        if code and not code.isdigit():
            return code
    displays = [get_text(coding, "display", "maritalStatus") for coding in codings]
    words = [get_text(concept, "text", "maritalStatus"), *displays]
    return next(filter(None, words), "") or get_code(concept, "maritalStatus")


def _language(resource: Mapping[str, Any], left_out: Counter[str]) -> str:
    """Returns the preferred language, else the first; the others are counted."""
    spoken = []
    for item in get_objects(resource, "communication"):
        language = get_object(item, "language", "communication")
        if code := get_code(language, "communication.language"):
            spoken.append((item.get("preferred") is not True, code))
    count(left_out, "language", max(0, len(spoken) - 1))
    return min(spoken, key=lambda language: language[0])[1] if spoken else ""


def _birth_date(resource: Mapping[str, Any], left_out: Counter[str]) -> str:
    """Returns the part of the date that is accurate, where Australia's extension says so."""
    born = get_text(resource, "birthDate")
    if born and not _ISO_DATE.fullmatch(born):
        raise InvalidResource("birthDate", _NOT_ISO)
    beside = resource.get("_birthDate")
    extensions = get_objects(beside, "extension", "_birthDate") if isinstance(beside, dict) else []
    for extension in extensions:
        if str(extension.get("url", "")).endswith(_ACCURACY):
            accuracy = get_object(extension, "valueCoding", "_birthDate")
            code = get_text(accuracy, "code", "_birthDate")
            day, month, year = tuple(code) if len(code) == 3 else ("A", "A", "A")
            if year != "A":
                left_out["date of birth that is not accurate"] += bool(born)
                return ""
            if month != "A":
                return born[:4]
            return born if day == "A" else born[:7]
    return born


def _origins(resource: Mapping[str, Any], left_out: Counter[str]) -> dict[str, str]:
    if "extension" not in resource:
        return {}
    extensions = {
        get_text(item, "url", "extension"): item for item in get_objects(resource, "extension")
    }
    labels = {}
    for name, url in (("race", fhir.RACE), ("ethnicity", fhir.ETHNICITY)):
        labels[name] = values.normalise_origin(_origin(extensions.get(url, {})))
        count(left_out, "extension", url in extensions and not labels[name])
    registered = get_text(extensions.get(fhir.REGISTERED_ON, {}), "valueDate", "extension")
    if registered and not _ISO_DATE.fullmatch(registered):
        raise InvalidResource("extension", _NOT_ISO)
    return {**labels, "registered_on": registered}


def _origin(extension: Part) -> str:
    """Returns the label: US Core has it in `text`, with codes beside it, and once had a concept."""
    parts = get_objects(extension, "extension")
    texts, codings = [], []
    for part in parts:
        if part.get("url") == "text":
            texts.append(get_text(part, "valueString", "extension"))
        if part.get("url") == "ombCategory":
            codings.append(get_object(part, "valueCoding", "extension"))
    concept = get_object(extension, "valueCodeableConcept", "extension")
    codings += get_objects(concept, "coding", "extension")
    texts.append(get_text(concept, "text", "extension"))
    labels = [get_text(coding, "display", "extension") for coding in codings]
    return next(filter(None, texts), "") or ", ".join(filter(None, labels))
