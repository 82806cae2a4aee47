"""Reads the details of a patient from a FHIR R4 Patient resource."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from portal.imports import fhir_codes as fhir
from portal.imports.readers import values
from portal.imports.readers.fhir_choice import in_order, is_present, period_of
from portal.imports.readers.fhir_names import parse_name_text
from portal.imports.readers.rows import own_keys
from portal.patients.fields import ENTERED_FIELDS, Section

_WHOLE_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_DAY_OF_DEATH = (
    "The portal needs the whole day of death, such as 2015-02-14: add it, or register by hand."
)
_NAME_USES = ("official", "usual", None, "temp", "anonymous", "maiden", "old")
_PHONE_USES = ("mobile", "home", None, "work", "temp")
_EMAIL_USES = ("home", None, "work", "mobile", "temp")
_ADDRESS_USES = ("home", None, "temp", "work", "billing")
_POINT_WORDS = {"phone": "phone", "email": "e-mail"}
_SCHEME = re.compile(r"^(?:mailto|tel|sms):", re.IGNORECASE)
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
}


class InvalidResource(Exception):
    """A part of the resource is not what FHIR says.

    `path` names the part, `reason` says what it should be.
    """

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path)
        self.path, self.reason = path, reason


@dataclass
class ReadResource:
    """What a resource says of a patient.

    `left_out` counts the parts that have no place in the portal, by kind.
    """

    details: dict[str, Any]
    left_out: Counter[str]
    is_archived: bool = False


def read_resource(resource: Mapping[str, Any]) -> ReadResource:
    """Returns Patient's fields and `identifiers`, without what the resource leaves out.

    InvalidResource for a part of the wrong type, and for a resource that is no patient to register.
    """
    _refuse_what_is_no_patient(resource)
    left_out = _parts_without_a_place(resource)
    details = _name(resource, left_out)
    if _is_restricted(resource):
        for kind in ("telecom", "address"):
            left_out[f"restricted {kind}"] += len(_objects(resource, kind))
    else:
        details |= _telecom(resource, left_out) | _address(resource, left_out)
    details |= _person(resource, left_out) | _origins(resource)
    read: dict[str, Any] = {name: value for name, value in details.items() if value}
    if identifiers := _identifiers(resource, left_out):
        read["identifiers"] = identifiers
    is_archived = resource.get("active") is False
    return ReadResource(read, Counter({kind: n for kind, n in left_out.items() if n}), is_archived)


def _refuse_what_is_no_patient(resource: Mapping[str, Any]) -> None:
    """Refuses what would be someone alive, someone twice, or nobody at all."""
    meta = _object(resource, "meta")
    if any(tag.get("code") == "HTEST" for tag in _objects(meta, "tag")):
        raise InvalidResource("meta.tag", "This is test data (HTEST), and no patient.")
    if any(link.get("type") == "replaced-by" for link in _objects(resource, "link")):
        reason = "Another record has replaced this one at its source. Import that one."
        raise InvalidResource("link", reason)
    died_on = _text(resource, "deceasedDateTime").partition("T")[0]
    if died_on and not _WHOLE_DAY.fullmatch(died_on):
        raise InvalidResource("deceasedDateTime", f"The patient has died. {_DAY_OF_DEATH}")
    if resource.get("deceasedBoolean") is True and not died_on:
        raise InvalidResource("deceasedBoolean", f"The patient has died. {_DAY_OF_DEATH}")


def _is_restricted(resource: Mapping[str, Any]) -> bool:
    labels = _objects(_object(resource, "meta"), "security")
    return any(label.get("code") in ("R", "V") for label in labels)


def _parts_without_a_place(resource: Mapping[str, Any]) -> Counter[str]:
    left_out: Counter[str] = Counter()
    for name, kind in _WITHOUT_A_PLACE.items():
        found = resource.get(name)
        left_out[kind] += len(found) if isinstance(found, list) else int(found is not None)
    left_out["language"] += max(0, len(_objects(resource, "communication")) - 1)
    known = (fhir.RACE, fhir.ETHNICITY, fhir.REGISTERED_ON)
    others = [item for item in _objects(resource, "extension") if item.get("url") not in known]
    left_out["extension"] += len(others)
    return left_out


# Where each field stands in the resource, for messages.
PLACES = {field.name: field.fhir_path for field in ENTERED_FIELDS if field.fhir_path}
PLACES["identifiers"] = "identifier"

# A value of these that is not understood costs itself alone: the patient comes without it.
OPTIONAL = frozenset(
    field.name
    for field in ENTERED_FIELDS
    if field.section == Section.CONTACT or field.name in ("language", "marital_status")
)


def _name(resource: Mapping[str, Any], left_out: Counter[str]) -> dict[str, str]:
    names = [item for item in _objects(resource, "name") if _has_name(item)]
    nicknames = [item for item in names if item.get("use") == "nickname"]
    others = [item for item in names if item.get("use") != "nickname"]
    # A name in letters of its sounds, such as kana, stands behind the one that it spells.
    ordered = sorted(in_order(others, _NAME_USES), key=_is_spelling)
    name = ordered[0] if ordered else {}
    nickname = next(iter(in_order(nicknames, ("nickname",))), {})
    left_out["name"] += len(names) - bool(name) - bool(nickname)
    family, given, title = parse_name_text(
        _text(name, "text", "name"), _text(name, "family", "name"), _texts(name, "given", "name")
    )
    return {
        "family_name": family,
        "given_name": given[0] if given else "",
        "middle_name": " ".join(given[1:]),
        "prefix": " ".join(_texts(name, "prefix", "name")) or title,
        "suffix": " ".join(_texts(name, "suffix", "name")),
        "preferred_name": " ".join(_texts(nickname, "given", "name"))
        or _text(nickname, "text", "name"),
    }


def _has_name(item: Mapping[str, Any]) -> bool:
    has_text = _text(item, "family", "name") or _text(item, "text", "name")
    return bool(has_text or _texts(item, "given", "name"))


def _is_spelling(item: Mapping[str, Any]) -> bool:
    extensions = _objects(item, "extension")
    return any(extension.get("valueCode") == "SYL" for extension in extensions)


def _telecom(resource: Mapping[str, Any], left_out: Counter[str]) -> dict[str, str]:
    points = [item for item in _objects(resource, "telecom") if _text(item, "value", "telecom")]
    kinds = [_kind_of_point(point) for point in points]
    chosen = {}
    for kind, uses in (("phone", _PHONE_USES), ("email", _EMAIL_USES)):
        same = [point for point, found in zip(points, kinds, strict=True) if found == kind]
        present = [point for point in in_order(same, uses) if is_present(point)]
        value = _text(present[0], "value", "telecom") if present else ""
        chosen[kind] = _SCHEME.sub("", value)
        left_out[_POINT_WORDS[kind]] += len(same) - bool(present)
    for kind in kinds:
        if kind not in chosen:
            left_out[kind] += 1
    return chosen


def _kind_of_point(point: Mapping[str, Any]) -> str:
    """Returns what the point is; one without a system is known by its value."""
    system = point.get("system")
    if system in ("phone", "sms"):
        return "phone"
    if system in ("email", "fax", "pager"):
        return str(system)
    value = _text(point, "value", "telecom")
    if system is None and re.fullmatch(r"(?:mailto:)?[^\s@:]+@[^\s@]+", value, re.IGNORECASE):
        return "email"
    if system is None and re.fullmatch(r"(?:tel:)?[\d\s()+./-]{5,}", value, re.IGNORECASE):
        return "phone"
    return "other contact point"


def _address(resource: Mapping[str, Any], left_out: Counter[str]) -> dict[str, str]:
    addresses = [item for item in _objects(resource, "address") if _has_address(item)]
    present = [item for item in in_order(addresses, _ADDRESS_USES) if is_present(item)]
    address = present[0] if present else {}
    left_out["address"] += len(addresses) - bool(present)
    left_out["district"] += bool(_text(address, "district", "address"))
    lines, city = _texts(address, "line", "address"), _text(address, "city", "address")
    if not lines and not city:
        lines = [", ".join(_text(address, "text", "address").splitlines())]
    return {
        "address_line1": lines[0] if lines else "",
        "address_line2": ", ".join(lines[1:]),
        "city": city,
        "region": _text(address, "state", "address"),
        "postal_code": _text(address, "postalCode", "address"),
        "country": _text(address, "country", "address"),
    }


def _has_address(item: Mapping[str, Any]) -> bool:
    parts = ("city", "state", "postalCode", "country", "text")
    found = [_text(item, part, "address") for part in parts]
    return any(found) or bool(_texts(item, "line", "address"))


def _person(resource: Mapping[str, Any], left_out: Counter[str]) -> dict[str, str]:
    languages = _objects(resource, "communication")
    preferred = [item for item in languages if item.get("preferred")] or languages
    language = _object(preferred[0], "language", "communication") if preferred else {}
    return {
        "date_of_birth": _birth_date(resource, left_out),
        "sex": values.normalise_sex(_text(resource, "gender")),
        "deceased_on": _text(resource, "deceasedDateTime").partition("T")[0],
        "marital_status": _code(_object(resource, "maritalStatus"), "maritalStatus"),
        "language": _code(language, "communication.language"),
    }


def _birth_date(resource: Mapping[str, Any], left_out: Counter[str]) -> str:
    """Returns the part of the date that is accurate, where Australia's extension says so."""
    born = _text(resource, "birthDate")
    extensions = _objects(_object(resource, "_birthDate"), "extension")
    for extension in extensions:
        if str(extension.get("url", "")).endswith("/date-accuracy-indicator"):
            code = _text(_object(extension, "valueCoding", "_birthDate"), "code", "_birthDate")
            day, month, year = tuple(code) if len(code) == 3 else ("A", "A", "A")
            if year != "A":
                left_out["date of birth that is not accurate"] += bool(born)
                return ""
            if month != "A":
                return born[:4]
            return born if day == "A" else born[:7]
    return born


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


def _identifiers(resource: Mapping[str, Any], left_out: Counter[str]) -> list[dict[str, str]]:
    identifiers, mrns = [], []
    for item in _objects(resource, "identifier"):
        system, value = _system(item), _text(item, "value", "identifier")
        days = period_of(item)
        if not value:
            continue
        if system == fhir.MRN_SYSTEM:
            mrns.append(value)
        elif not system or (item.get("use") == "old" and "valid_to" not in days):
            left_out["identifier"] += 1
        else:
            identifiers.append({"system": system, "value": value, **days})
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


def _code(concept: Mapping[str, Any], path: str) -> str:
    codings = _objects(concept, "coding")
    return (_text(codings[0], "code", path) if codings else "") or _text(concept, "text", path)


def _objects(holder: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    found = holder.get(name) or []
    is_list = isinstance(found, list)
    if not is_list or not all(item is None or isinstance(item, dict) for item in found):
        raise InvalidResource(name, "must be a list of objects")
    return [item for item in found if item is not None]


def _object(holder: Mapping[str, Any], name: str, path: str = "") -> dict[str, Any]:
    found = holder.get(name) or {}
    if not isinstance(found, dict):
        raise InvalidResource(".".join(filter(None, (path, name))), "must be an object")
    return found


def _texts(holder: Mapping[str, Any], name: str, path: str) -> list[str]:
    found = holder.get(name) or []
    if not isinstance(found, list) or not all(
        item is None or isinstance(item, str) for item in found
    ):
        raise InvalidResource(f"{path}.{name}", "must be a list of texts")
    return [item.strip() for item in found if item and item.strip()]


def _text(holder: Mapping[str, Any], name: str, path: str = "") -> str:
    found = holder.get(name) or ""
    if not isinstance(found, str):
        raise InvalidResource(".".join(filter(None, (path, name))), "must be a text")
    return found.strip()
