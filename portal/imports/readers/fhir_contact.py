"""Phone, e-mail and address of a FHIR Patient: the present ones that are understood."""

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from portal.errors import InvalidInput
from portal.imports.readers.fhir_choice import in_order, is_present
from portal.imports.readers.fhir_parts import Part, count, get_open_parts, get_text, get_texts
from portal.imports.readers.plain_values import PlainField
from portal.patients.validation import validate_details

_PHONE_USES = ("mobile", "home", None, "work", "temp")
_EMAIL_USES = ("home", None, "work", "mobile", "temp")
_ADDRESS_USES = ("home", None, "temp", "work", "billing")
_POINT_WORDS = {"phone": "phone", "email": "e-mail"}
_FIELDS = {name: PlainField(name) for name in _POINT_WORDS}
_SCHEME = re.compile(r"^(?:mailto|tel|sms):", re.IGNORECASE)


def read_telecom(resource: Mapping[str, Any], left_out: Counter[str]) -> dict[str, str]:
    """Returns the patient's phone and e-mail, and counts the other points of contact."""
    points = get_open_parts(resource, "telecom", left_out, "telecom")
    points = [point for point in points if get_text(point, "value", "telecom")]
    kinds = [_kind_of_point(point) for point in points]
    chosen = {}
    for kind, uses in (("phone", _PHONE_USES), ("email", _EMAIL_USES)):
        same = [point for point, found in zip(points, kinds, strict=True) if found == kind]
        present = [point for point in in_order(same, uses) if is_present(point)]
        chosen[kind] = _first_understood(kind, present)
        count(left_out, _POINT_WORDS[kind], len(same) - bool(chosen[kind]))
    for kind in kinds:
        if kind not in chosen:
            left_out[kind] += 1
    return chosen


def _first_understood(kind: str, points: list[Part]) -> str:
    """Returns the first value that the portal takes; else the first, which will be told as such."""
    texts = [_SCHEME.sub("", get_text(point, "value", "telecom")) for point in points]
    return next((text for text in texts if _is_understood(kind, text)), texts[0] if texts else "")


def _is_understood(name: str, text: str) -> bool:
    if _FIELDS[name].look(text) is not None:
        return True
    try:
        validate_details({name: text}, partial=True)
    except InvalidInput:
        return False
    return True


def _kind_of_point(point: Part) -> str:
    """Returns what the point is; one without a system is known by its value."""
    system = point.get("system")
    if system in ("phone", "sms"):
        return "phone"
    if system in ("email", "fax", "pager"):
        return str(system)
    value = get_text(point, "value", "telecom")
    if system is None and re.fullmatch(r"(?:mailto:)?[^\s@:]+@[^\s@]+", value, re.IGNORECASE):
        return "email"
    if system is None and re.fullmatch(r"(?:tel:)?[\d\s()+./-]{5,}", value, re.IGNORECASE):
        return "phone"
    return "other contact point"


def read_address(resource: Mapping[str, Any], left_out: Counter[str]) -> dict[str, str]:
    """Returns the patient's present address, and counts the others."""
    addresses = get_open_parts(resource, "address", left_out, "address")
    addresses = [item for item in addresses if _has_address(item)]
    # One that is only for post stands behind the one where the patient lives.
    ordered = sorted(in_order(addresses, _ADDRESS_USES), key=_is_postal)
    present = [item for item in ordered if is_present(item)]
    address = present[0] if present else {}
    count(left_out, "address", len(addresses) - bool(present))
    count(left_out, "district", bool(get_text(address, "district", "address")))
    lines = get_texts(address, "line", "address") or _lines_of_text(address)
    return {
        "address_line1": lines[0] if lines else "",
        "address_line2": ", ".join(lines[1:]),
        **{name: get_text(address, part, "address") for name, part in _ADDRESS_PARTS.items()},
    }


_ADDRESS_PARTS = {
    "city": "city",
    "region": "state",
    "postal_code": "postalCode",
    "country": "country",
}
_ADDRESS_TEXTS = (*_ADDRESS_PARTS.values(), "text")


def _is_postal(address: Part) -> bool:
    return address.get("type") == "postal"


def _lines_of_text(address: Part) -> list[str]:
    """Returns what the address has as one text, without the parts that stand beside it."""
    beside = [get_text(address, part, "address") for part in _ADDRESS_PARTS.values()]
    known = set(" ".join(beside).casefold().split())
    lines = [line.strip() for line in re.split(r"[\n,]", get_text(address, "text", "address"))]
    kept = [line for line in lines if line and not set(line.casefold().split()) <= known]
    return [", ".join(kept)] if kept else []


def _has_address(item: Part) -> bool:
    found = [get_text(item, part, "address") for part in _ADDRESS_TEXTS]
    return any(found) or bool(get_texts(item, "line", "address"))
