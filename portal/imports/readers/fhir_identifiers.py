"""Identifiers of a FHIR Patient, with the days between which they are valid."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from portal.imports import fhir_codes as fhir
from portal.imports.readers.fhir_choice import is_period_lost, is_present, period_of
from portal.imports.readers.fhir_parts import (
    Part,
    count,
    get_object,
    get_objects,
    get_open_parts,
    get_text,
)
from portal.imports.readers.rows import own_keys


def read_identifiers(resource: Mapping[str, Any], left_out: Counter[str]) -> list[dict[str, str]]:
    """Returns the identifiers, and counts those that have no system, no value, or no days.

    An old number whose end nobody knows is left out, since it would pass as a valid one.
    """
    identifiers: dict[tuple[str, str], dict[str, str]] = {}
    mrns = []
    items = get_open_parts(resource, "identifier", left_out, "identifier")
    # The present one comes last, so that its days stay where a number stands twice.
    for item in sorted(items, key=is_present):
        system, value = _system(item), get_text(item, "value", "identifier")
        days = period_of(item)
        if not value or not system or (item.get("use") == "old" and "valid_to" not in days):
            left_out["identifier"] += 1
        elif system == fhir.MRN_SYSTEM:
            mrns.append(value)
        else:
            count(left_out, "period of an identifier", is_period_lost(item))
            identifier = {"system": system, "value": value, **days}
            identifiers.pop((system, value), None)
            identifiers[system, value] = identifier
    count(left_out, "identifier", max(0, len(mrns) - 1))
    keys = own_keys(get_text(resource, "id"), mrns[-1] if mrns else "")
    return _in_their_order(identifiers, items) + keys


def _in_their_order(
    identifiers: dict[tuple[str, str], dict[str, str]], items: list[Part]
) -> list[dict[str, str]]:
    if len(identifiers) < 2:
        return list(identifiers.values())
    order = {(_system(item), get_text(item, "value", "identifier")): 0 for item in items}
    return [identifiers[key] for key in order if key in identifiers]


def _system(item: Part) -> str:
    """Returns our short code if the type or system has one, else the system as it is."""
    system = get_text(item, "system", "identifier")
    if system.startswith(fhir.SHORT_SYSTEM):
        return system.removeprefix(fhir.SHORT_SYSTEM)
    codings = get_objects(get_object(item, "type", "identifier"), "coding", "identifier.type")
    codes = [get_text(coding, "code", "identifier") for coding in codings]
    for code in codes:
        if code in fhir.SYSTEM_OF_TYPE:
            return fhir.SYSTEM_OF_TYPE[code]
    if system:
        return fhir.SHORT_SYSTEM_OF.get(system, system)
    return "mrn-other" if "MR" in codes else ""
