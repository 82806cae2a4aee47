"""Names and addresses that clients send in one line, as the parts that the portal stores."""

from typing import Any

from portal.patients.columns import max_length_of
from portal.patients.fields import ADDRESS
from portal.patients.models import Patient
from portal.patients.names.titles import is_suffix, split_titles
from portal.patients.normalize import fold
from portal.patients.reference.countries import country_code, country_name


def split_name(name: Any, patient: Patient | None = None) -> dict[str, Any]:
    """Returns the parts of `Dr Jane Smith`, `Smith, Jane` or `Jane Smith, Jr.`.

    A single word is the family name. Of a patient the title, the middle name and the suffix stay
    where the name leaves them out; with a middle name, so many words are the given name as before.
    """
    if not isinstance(name, str):
        return {"family_name": name}
    first, *others = [part.split() for part in name.split(",")]
    suffixes = [part for part in others if part and all(map(is_suffix, part))]
    rest = [word for part in others if part not in suffixes for word in part]
    if rest:
        titles, given, behind = split_titles(rest, fewest=1)
        family = first
    else:
        titles, words, behind = split_titles(first, fewest=2)
        given, family = words[:-1], words[-1:]
    parts = {"family_name": " ".join(family)}
    if titles:
        parts["prefix"] = " ".join(titles)
    if suffix := ", ".join(" ".join(part) for part in [behind, *suffixes] if part):
        parts["suffix"] = suffix
    if patient and patient.middle_name:
        count = len(patient.given_name.split())
        if len(given) > count:
            parts["middle_name"] = " ".join(given[count:])
            given = given[:count]
    return {**parts, "given_name": " ".join(given)}


def split_address(address: Any) -> dict[str, Any]:
    """Returns one line as the first line; what is too long goes on in the second, between words."""
    parts: dict[str, Any] = dict.fromkeys(ADDRESS, "")
    limit = max_length_of(Patient, "address_line1")
    if not isinstance(address, str) or len(address) <= limit:
        return {**parts, "address_line1": address}
    cut = address.rfind(" ", 0, limit + 1)
    cut = cut if cut > 0 else limit
    return {**parts, "address_line1": address[:cut], "address_line2": address[cut:].strip()}


def change_address(patient: Patient, address: str) -> dict[str, Any]:
    """Returns the parts that a new address in one line changes.

    The country stays unless the line ends with the name of another one, since the phone is read by
    it. Town, region and postal code stay if the line names no other place: what it names of them is
    not said twice.
    """
    if not address.strip():
        return split_address(address)
    street, *rest = [part.strip() for part in address.split(",")]
    places = {name: getattr(patient, name) for name in ("city", "region", "postal_code", "country")}
    known = {*places.values(), f"{patient.region} {patient.postal_code}"}
    known_words = {fold(text) for text in (*known, country_name(patient.country))}
    if all(fold(part) in known_words for part in rest):
        return {**split_address(street), **places}
    return {**split_address(address), "country": _country_at_end(rest[-1]) or patient.country}


def _country_at_end(part: str) -> str:
    """Returns the country that ends an address; two letters there, and Georgia, are states too."""
    return country_code(part) if len(part) > 3 and fold(part) != "georgia" else ""
