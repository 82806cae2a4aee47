"""A patient as camelCase JSON, and JSON as details: the shapes of the REST contract, old clients' included."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from portal.errors import FieldProblem, camel
from portal.patients.fields import ADDRESS
from portal.patients.fields import JSON_NAMES as FIELD_JSON_NAMES
from portal.patients.models import Patient, PatientIdentifier
from portal.patients.validation import VALIDITY, longest

JSON_NAMES = {**FIELD_JSON_NAMES, "identifiers": "identifiers"}
_DETAIL_NAMES = {json_name: name for name, json_name in JSON_NAMES.items()}
READ_ONLY = ["id", "mrn", "version", "mergedInto", "billing"]


def patient_json(patient: Patient, parts: Mapping[str, Any]) -> dict[str, Any]:
    """The whole patient; `parts` are what other areas add, such as `billing`."""
    body: dict[str, Any] = {"id": str(patient.pk), "mrn": patient.mrn, "name": patient.full_name}
    for name, json_name in JSON_NAMES.items():
        if name != "identifiers":
            value = getattr(patient, name)
            body[json_name] = value.isoformat() if hasattr(value, "isoformat") else value
    body["address"] = patient.address_text
    body["identifiers"] = [_identifier_json(one) for one in patient.identifiers.all()]
    merged_into = str(patient.merged_into_id) if patient.merged_into_id else None
    return {
        **body,
        "status": patient.status,
        "mergedInto": merged_into,
        "version": patient.version,
        **parts,
    }


def _identifier_json(one: PatientIdentifier) -> dict[str, Any]:
    days = {
        camel(name): day.isoformat() if (day := getattr(one, name)) else None for name in VALIDITY
    }
    return {"system": one.system, "value": one.value, **days}


def _with_our_names(identifiers: Any) -> Any:
    """`validFrom` as `valid_from`, in each; what is no list of objects goes on as it is, to be refused."""
    if not isinstance(identifiers, list) or not all(
        isinstance(one, Mapping) for one in identifiers
    ):
        return identifiers
    names = {camel(name): name for name in VALIDITY}
    return [{names.get(name, name): value for name, value in one.items()} for one in identifiers]


def details_from(
    body: Mapping[str, Any], *, current: Mapping[str, Any] | None = None
) -> tuple[dict[str, Any], list[FieldProblem]]:
    """Details as `clean_details` takes them, and what is wrong with the names of the body's members.

    `current` is the patient's JSON where one is changed: what the server sets may be sent back as it was, and a `name`
    or `address` as it was changes nothing. The parts win over `name` and `address`.
    """
    raw, problems = {}, []
    for json_name, value in body.items():
        if current is not None and json_name in current and value == current[json_name]:
            continue
        if json_name in _DETAIL_NAMES:
            raw[_DETAIL_NAMES[json_name]] = (
                _with_our_names(value) if json_name == "identifiers" else value
            )
        elif json_name in READ_ONLY:
            problems.append(
                FieldProblem(json_name, "read-only", "This is set by the server; leave it out.")
            )
        elif json_name not in {"name", "address"}:
            problems.append(FieldProblem(json_name, "unknown-field", "There is no such field."))
    for json_name, split in (("name", name_parts), ("address", address_parts)):
        if json_name in body and not (current and body[json_name] == current[json_name]):
            raw = {**split(body[json_name]), **raw}
    return raw, problems


def as_sent(problem: FieldProblem, body: Mapping[str, Any]) -> FieldProblem:
    """The problem at the member that the client sent: `name`, where its parts came out of that."""
    for whole, parts in (("name", ["family_name", "given_name"]), ("address", ADDRESS)):
        if whole in body and problem.pointer in parts and JSON_NAMES[problem.pointer] not in body:
            return replace(problem, pointer=whole)
    return problem


def name_parts(name: Any) -> dict[str, Any]:
    """`Jane Smith` or `Smith, Jane`; a single word is the family name."""
    if not isinstance(name, str):
        return {"family_name": name}
    if "," in name:
        family, given = name.split(",", 1)
        return {"family_name": family, "given_name": given}
    *given_words, family = name.split() or [""]
    return {"family_name": family, "given_name": " ".join(given_words)}


def address_parts(address: Any) -> dict[str, Any]:
    """One line as it is, in the first line; what is longer than the line goes on in the second, cut between words."""
    parts: dict[str, Any] = dict.fromkeys(ADDRESS, "")
    limit = longest(Patient, "address_line1")
    if not isinstance(address, str) or len(address) <= limit:
        return {**parts, "address_line1": address}
    cut = address.rfind(" ", 0, limit + 1)
    cut = cut if cut > 0 else limit
    return {**parts, "address_line1": address[:cut], "address_line2": address[cut:].strip()}
