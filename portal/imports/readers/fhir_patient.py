"""Reads the details of a patient from a FHIR R4 Patient resource."""

from collections.abc import Mapping
from typing import Any

from portal.imports import fhir_codes as fhir
from portal.imports.readers import values
from portal.imports.readers.rows import own_keys
from portal.patients.fields import ENTERED_FIELDS


class InvalidResource(Exception):
    """A part of the resource is not what FHIR says.

    `path` names the part, `reason` says what it should be.
    """

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path)
        self.path, self.reason = path, reason


def resource_details(resource: Mapping[str, Any]) -> dict[str, Any]:
    """Returns Patient's fields and `identifiers`, without what the resource leaves out.

    InvalidResource for a part of the wrong type.
    """
    details: dict[str, Any] = {}
    for part in (_name, _telecom, _address, _person, _origins):
        details |= part(resource)
    if identifiers := _identifiers(resource):
        details["identifiers"] = identifiers
    return {name: value for name, value in details.items() if value}


# Where each field stands in the resource, for messages.
PLACES = {field.name: field.fhir_path for field in ENTERED_FIELDS if field.fhir_path}
PLACES["identifiers"] = "identifier"


def _name(resource: Mapping[str, Any]) -> dict[str, str]:
    names = _objects(resource, "name")
    name = _first_by_use(names, ("official", "usual", None, "temp", "anonymous"))
    nickname = next((item for item in names if item.get("use") == "nickname"), {})
    given = _texts(name, "given", "name")
    family = _text(name, "family", "name")
    if not family and not given:
        family = _text(name, "text", "name")
    return {
        "family_name": family,
        "given_name": given[0] if given else "",
        "middle_name": " ".join(given[1:]),
        "prefix": " ".join(_texts(name, "prefix", "name")),
        "suffix": " ".join(_texts(name, "suffix", "name")),
        "preferred_name": " ".join(_texts(nickname, "given", "name"))
        or _text(nickname, "text", "name"),
    }


def _telecom(resource: Mapping[str, Any]) -> dict[str, str]:
    points = _objects(resource, "telecom")
    phones = [point for point in points if point.get("system") in ("phone", "sms")]
    emails = [point for point in points if point.get("system") == "email"]
    phone = _first_by_use(phones, ("mobile", "home", None, "work", "temp"))
    email = _first_by_use(emails, ("home", None, "work", "mobile", "temp"))
    return {
        "phone": _text(phone, "value", "telecom"),
        "email": _text(email, "value", "telecom"),
    }


def _address(resource: Mapping[str, Any]) -> dict[str, str]:
    addresses = _objects(resource, "address")
    address = _first_by_use(addresses, ("home", None, "temp", "work", "billing"))
    lines = _texts(address, "line", "address")
    return {
        "address_line1": lines[0] if lines else "",
        "address_line2": ", ".join(lines[1:]),
        "city": _text(address, "city", "address"),
        "region": _text(address, "state", "address"),
        "postal_code": _text(address, "postalCode", "address"),
        "country": _text(address, "country", "address"),
    }


def _person(resource: Mapping[str, Any]) -> dict[str, str]:
    languages = _objects(resource, "communication")
    preferred = [item for item in languages if item.get("preferred")] or languages
    language = _object(preferred[0], "language", "communication") if preferred else {}
    return {
        "date_of_birth": _text(resource, "birthDate"),
        "sex": values.normalise_sex(_text(resource, "gender")),
        "deceased_on": _text(resource, "deceasedDateTime").partition("T")[0],
        "marital_status": _code(_object(resource, "maritalStatus"), "maritalStatus"),
        "language": _code(language, "communication.language"),
    }


def _origins(resource: Mapping[str, Any]) -> dict[str, str]:
    extensions = {item.get("url"): item for item in _objects(resource, "extension")}
    return {
        "race": values.normalise_origin(_origin(extensions.get(fhir.RACE, {}))),
        "ethnicity": values.normalise_origin(_origin(extensions.get(fhir.ETHNICITY, {}))),
        "registered_on": _text(extensions.get(fhir.REGISTERED_ON, {}), "valueDate", "extension"),
    }


def _origin(extension: Mapping[str, Any]) -> str:
    """Returns the label: US Core has it in `text`, with codes beside it."""
    parts = {part.get("url"): part for part in _objects(extension, "extension")}
    coding = _object(parts.get("ombCategory", {}), "valueCoding", "extension")
    return _text(parts.get("text", {}), "valueString", "extension") or _text(
        coding, "display", "extension"
    )


def _identifiers(resource: Mapping[str, Any]) -> list[dict[str, str]]:
    current = [item for item in _objects(resource, "identifier") if item.get("use") != "old"]
    identifiers, mrns = [], []
    for item in current:
        system, value = _system(item), _text(item, "value", "identifier")
        if system == fhir.MRN_SYSTEM:
            mrns.append(value)
        elif system and value:
            identifiers.append({"system": system, "value": value})
    return identifiers + own_keys(_text(resource, "id"), mrns[0] if mrns else "")


def _system(item: Mapping[str, Any]) -> str:
    """Returns our short code if the type or system has one, else the system as it is."""
    system = _text(item, "system", "identifier")
    if system.startswith(fhir.SHORT_SYSTEM):
        return system.removeprefix(fhir.SHORT_SYSTEM)
    codings = _objects(_object(item, "type", "identifier"), "coding")
    codes = [_text(coding, "code", "identifier") for coding in codings]
    for code in codes:
        if code in fhir.SYSTEM_OF_TYPE:
            return fhir.SYSTEM_OF_TYPE[code]
    if system:
        return fhir.SHORT_SYSTEM_OF.get(system, system)
    return "mrn-other" if "MR" in codes else ""


def _first_by_use(items: list[dict[str, Any]], uses: tuple[str | None, ...]) -> dict[str, Any]:
    """Returns the first item of the first use that occurs, {} if there is none.

    Other uses do not count, such as an old address or a maiden name.
    """
    for use in uses:
        for item in items:
            if item.get("use") == use:
                return item
    return {}


def _code(concept: Mapping[str, Any], path: str) -> str:
    codings = _objects(concept, "coding")
    return (_text(codings[0], "code", path) if codings else "") or _text(concept, "text", path)


def _objects(holder: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    found = holder.get(name) or []
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise InvalidResource(name, "must be a list of objects")
    return found


def _object(holder: Mapping[str, Any], name: str, path: str = "") -> dict[str, Any]:
    found = holder.get(name) or {}
    if not isinstance(found, dict):
        raise InvalidResource(".".join(filter(None, (path, name))), "must be an object")
    return found


def _texts(holder: Mapping[str, Any], name: str, path: str) -> list[str]:
    found = holder.get(name) or []
    if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
        raise InvalidResource(f"{path}.{name}", "must be a list of texts")
    return [item.strip() for item in found if item.strip()]


def _text(holder: Mapping[str, Any], name: str, path: str = "") -> str:
    found = holder.get(name) or ""
    if not isinstance(found, str):
        raise InvalidResource(".".join(filter(None, (path, name))), "must be a text")
    return found.strip()
