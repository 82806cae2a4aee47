"""A FHIR R4 Patient resource as the details of a patient."""

from collections.abc import Callable, Mapping
from typing import Any

from portal.imports import fhir_codes as fhir
from portal.imports.readers import values
from portal.imports.readers.rows import own_keys


class InvalidResource(Exception):
    """A part of the resource is not what FHIR says; `path` names it, `reason` says what it should be."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path)
        self.path, self.reason = path, reason


def resource_details(resource: Mapping[str, Any]) -> dict[str, Any]:
    """Patient's fields and `identifiers`, without what the resource leaves out; Misshapen for a wrong type."""
    details: dict[str, Any] = {}
    for part in (_name, _telecom, _address, _others, _origins):
        details |= part(resource)
    if identifiers := _identifiers(resource):
        details["identifiers"] = identifiers
    return {name: value for name, value in details.items() if value}


# Where each field stands in the resource, for messages.
PLACES = {
    "family_name": "name.family", "given_name": "name.given", "middle_name": "name.given", "prefix": "name.prefix",
    "suffix": "name.suffix", "preferred_name": "name.given", "date_of_birth": "birthDate", "sex": "gender",
    "email": "telecom", "phone": "telecom", "address_line1": "address.line", "address_line2": "address.line",
    "city": "address.city", "region": "address.state", "postal_code": "address.postalCode",
    "country": "address.country", "marital_status": "maritalStatus", "race": "extension (us-core-race)",
    "ethnicity": "extension (us-core-ethnicity)", "language": "communication.language",
    "deceased_on": "deceasedDateTime", "registered_on": "extension (registered-on)", "identifiers": "identifier",
}  # fmt: skip


def _name(resource: Mapping[str, Any]) -> dict[str, str]:
    names = _objects(resource, "name")
    chosen = _first_by_use(names, ("official", "usual", None, "temp", "anonymous"))
    nick = next((name for name in names if name.get("use") == "nickname"), {})
    given = _texts(chosen, "given", "name")
    return {
        "family_name": _text(chosen, "family", "name")
        or ("" if given else _text(chosen, "text", "name")),
        "given_name": given[0] if given else "",
        "middle_name": " ".join(given[1:]),
        "prefix": " ".join(_texts(chosen, "prefix", "name")),
        "suffix": " ".join(_texts(chosen, "suffix", "name")),
        "preferred_name": " ".join(_texts(nick, "given", "name")) or _text(nick, "text", "name"),
    }


def _telecom(resource: Mapping[str, Any]) -> dict[str, str]:
    points = _objects(resource, "telecom")
    phones = [point for point in points if point.get("system") in ("phone", "sms")]
    emails = [point for point in points if point.get("system") == "email"]
    return {
        "phone": _text(
            _first_by_use(phones, ("mobile", "home", None, "work", "temp")), "value", "telecom"
        ),
        "email": _text(
            _first_by_use(emails, ("home", None, "work", "mobile", "temp")), "value", "telecom"
        ),
    }


def _address(resource: Mapping[str, Any]) -> dict[str, str]:
    address = _first_by_use(
        _objects(resource, "address"), ("home", None, "temp", "work", "billing")
    )
    lines = _texts(address, "line", "address")
    return {
        "address_line1": lines[0] if lines else "",
        "address_line2": ", ".join(lines[1:]),
        "city": _text(address, "city", "address"),
        "region": _text(address, "state", "address"),
        "postal_code": _text(address, "postalCode", "address"),
        "country": _text(address, "country", "address"),
    }


def _others(resource: Mapping[str, Any]) -> dict[str, str]:
    spoken = [item for item in _objects(resource, "communication") if item.get("preferred")]
    spoken = spoken or _objects(resource, "communication")
    language = _object(spoken[0], "language", "communication") if spoken else {}
    born, precision = values.parse_partial_date(_text(resource, "birthDate"))
    return {
        "date_of_birth": born,
        "date_of_birth_precision": precision if born else "",
        "sex": values.sex(_text(resource, "gender")),
        "deceased_on": _text(resource, "deceasedDateTime").partition("T")[0],
        "marital_status": _code(_object(resource, "maritalStatus"), "maritalStatus"),
        "language": _code(language, "communication.language"),
    }


def _origins(resource: Mapping[str, Any]) -> dict[str, str]:
    extensions = {item.get("url"): item for item in _objects(resource, "extension")}
    return {
        "race": values.origin(_origin(extensions.get(fhir.RACE, {}))),
        "ethnicity": values.origin(_origin(extensions.get(fhir.ETHNICITY, {}))),
        "registered_on": _text(extensions.get(fhir.REGISTERED_ON, {}), "valueDate", "extension"),
    }


def _origin(extension: Mapping[str, Any]) -> str:
    """US Core has the words in `text`, and codes beside it."""
    parts = {part.get("url"): part for part in _objects(extension, "extension")}
    coding = _object(parts.get("ombCategory", {}), "valueCoding", "extension")
    return _text(parts.get("text", {}), "valueString", "extension") or _text(
        coding, "display", "extension"
    )


def _identifiers(resource: Mapping[str, Any]) -> list[dict[str, str]]:
    current = [item for item in _objects(resource, "identifier") if item.get("use") != "old"]
    pairs = [(_system(item), _text(item, "value", "identifier")) for item in current]
    mrn = next((value for system, value in pairs if system == fhir.MRN_SYSTEM), "")
    others = [
        (system, value) for system, value in pairs if system and value and system != fhir.MRN_SYSTEM
    ]
    found = [{"system": system, "value": value} for system, value in others]
    return found + own_keys(_text(resource, "id"), mrn)


def _system(item: Mapping[str, Any]) -> str:
    """Our short code where the type or system says which kind it is; else the system as it is."""
    system = _text(item, "system", "identifier")
    if system.startswith(fhir.SHORT_SYSTEM):
        return system.removeprefix(fhir.SHORT_SYSTEM)
    codings = _objects(_object(item, "type", "identifier"), "coding")
    kinds = [fhir.CODE_OF_TYPE.get(_text(coding, "code", "identifier")) for coding in codings]
    ours = next((kind for kind in kinds if kind), None) or fhir.CODE_OF_SYSTEM.get(system)
    return (
        ours
        or system
        or ("mrn-other" if any(coding.get("code") == "MR" for coding in codings) else "")
    )


def _first_by_use(items: list[dict[str, Any]], uses: tuple[str | None, ...]) -> dict[str, Any]:
    """The first item of the most wanted use; none of another use, such as an old address or a maiden name."""
    ranked: Callable[[dict[str, Any]], int] = lambda item: uses.index(item.get("use"))  # noqa: E731
    return min((item for item in items if item.get("use") in uses), key=ranked, default={})


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
