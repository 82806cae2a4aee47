"""The choices of a merge: a field, or fields that mean little alone, taken from one record."""

from collections.abc import Iterable
from typing import Any

from portal.errors import FieldProblem, InvalidInput
from portal.patients.fields import JSON_NAMES, merge_choices
from portal.patients.models import Patient

MERGE_CHOICES = merge_choices()  # the columns of each choice
JSON_NAME_OF_CHOICE = {choice: JSON_NAMES.get(choice, choice) for choice in MERGE_CHOICES}
_BLANK = ("", None, "unknown")


def column_values(record: Any, choice: str) -> dict[str, Any]:
    """Returns the columns of a choice with the values of a patient, or of a row of the log."""
    return {name: getattr(record, name) for name in MERGE_CHOICES[choice]}


def is_blank(patient: Patient, choice: str) -> bool:
    """Returns whether the record has no value; a country alone, or a precision, is none."""
    telling = [
        value
        for name, value in column_values(patient, choice).items()
        if name not in ("country", "date_of_birth_precision")
    ]
    return all(value in _BLANK for value in telling)


def differing_choices(first: Patient, second: Patient) -> list[str]:
    """Returns the choices in which two records differ."""
    return [
        choice
        for choice in MERGE_CHOICES
        if column_values(first, choice) != column_values(second, choice)
    ]


def choices_missing_in(survivor: Patient, duplicate: Patient) -> list[str]:
    """Returns what only the duplicate knows: the survivor takes it where nobody chooses."""
    return [
        choice for choice in differing_choices(survivor, duplicate) if is_blank(survivor, choice)
    ]


def checked_choices(names: Iterable[str]) -> list[str]:
    """Returns the choices of these names, each once and in order; InvalidInput at `take`."""
    wanted = set(names)
    unknown = sorted(wanted - MERGE_CHOICES.keys())
    if unknown:
        known = ", ".join(JSON_NAME_OF_CHOICE.values())
        detail = f"What can be taken from the other record is: {known}."
        raise InvalidInput(errors=[FieldProblem("take", "unknown-field", detail) for _ in unknown])
    return [choice for choice in MERGE_CHOICES if choice in wanted]
