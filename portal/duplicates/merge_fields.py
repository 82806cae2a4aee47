"""What is chosen together where two records of one person differ: a field, or fields that mean little one by one."""

from collections.abc import Iterable
from typing import Any

from portal.errors import FieldProblem, InvalidInput, camel
from portal.patients.fields import ADDRESS, JSON_NAMES
from portal.patients.models import Patient

# Half an address of one record and half of the other's is no address.
_SINGLE = (
    "family_name", "given_name", "middle_name", "preferred_name", "prefix", "suffix", "date_of_birth", "sex",
    "deceased_on", "phone", "email", "address", "language", "marital_status", "race", "ethnicity", "registered_on",
)  # fmt: skip
_TOGETHER = {
    "address": tuple(ADDRESS),
    "date_of_birth": ("date_of_birth", "date_of_birth_precision"),
}
MERGE_FIELDS: dict[str, tuple[str, ...]] = {name: _TOGETHER.get(name, (name,)) for name in _SINGLE}
_SAYS_NOTHING = ("", None, "unknown")


def column_values(record: Any, choice: str) -> dict[str, Any]:
    """The columns of a choice with the values of a patient, or of a row of the log."""
    return {name: getattr(record, name) for name in MERGE_FIELDS[choice]}


def is_blank(patient: Patient, choice: str) -> bool:
    """Whether the record says nothing there; a country alone is no address."""
    leading = MERGE_FIELDS[choice][:1] if choice == "date_of_birth" else MERGE_FIELDS[choice]
    return all(getattr(patient, name) in _SAYS_NOTHING for name in leading if name != "country")


def differing_fields(one: Patient, other: Patient) -> list[str]:
    """The choices that have to be made between two records."""
    return [name for name in MERGE_FIELDS if column_values(one, name) != column_values(other, name)]


def fields_missing_in(survivor: Patient, duplicate: Patient) -> list[str]:
    """What the duplicate knows and the survivor does not: taken over where nobody chooses."""
    return [name for name in differing_fields(survivor, duplicate) if is_blank(survivor, name)]


def checked_merge_fields(names: Iterable[str]) -> list[str]:
    """The choices of these names, each once and in order; InvalidInput, at `take`, for any other name."""
    names = set(names)
    if unknown := sorted(names - MERGE_FIELDS.keys()):
        known = ", ".join(JSON_NAMES.get(name, camel(name)) for name in MERGE_FIELDS)
        words = f"What can be taken from the other record is: {known}."
        raise InvalidInput(errors=[FieldProblem("take", "unknown-field", words) for _ in unknown])
    return [name for name in MERGE_FIELDS if name in names]
