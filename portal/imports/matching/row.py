"""A row whose values were checked, and the keys that tell which patient it is about."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from portal.errors import InvalidInput
from portal.imports.readers import Problem, Row
from portal.patients.matching.rules import (
    ComparedFields,
    IdentifierKey,
    PersonKey,
    compared_fields,
    identifier_keys,
    person_key,
)
from portal.patients.validation import validate_details


@dataclass(frozen=True)
class CheckedRow:
    """A row with cleaned details."""

    row: Row
    details: dict[str, Any]

    @cached_property
    def pairs(self) -> set[IdentifierKey]:
        """The identifiers that the row carries, as (system, value)."""
        return identifier_keys(self.details)

    @cached_property
    def person(self) -> PersonKey:
        """Name and date of birth, as the registration of a patient compares them."""
        return person_key(self.details)

    @cached_property
    def facts(self) -> ComparedFields:
        """What is compared with people who may be the same."""
        return compared_fields(self.details, ())


def checked(row: Row) -> CheckedRow | list[Problem]:
    """The candidate, or everything that is wrong with the row."""
    if row.problems:
        return row.problems
    try:
        return CheckedRow(row, validate_details(row.details, partial=True))
    except InvalidInput as error:
        return problems_from_error(row, error)


def valid_rows(rows: Iterable[Row]) -> list[CheckedRow]:
    """The rows without a fault."""
    return [result for row in rows if isinstance(result := checked(row), CheckedRow)]


def problems_from_error(row: Row, error: InvalidInput) -> list[Problem]:
    """The error's fields in the words of the file."""
    problems: list[Problem] = []
    for one in error.errors:
        if one.pointer == "identifiers":
            problems += _wrong_identifiers(row, one.detail)
        else:
            problems.append(row.problem(one.pointer, one.detail))
    return problems


def _wrong_identifiers(row: Row, reason: str) -> list[Problem]:
    wrong = []
    for identifier in row.details["identifiers"]:
        try:
            validate_details({"identifiers": [identifier]}, partial=True)
        except InvalidInput as error:
            wrong += [row.identifier_problem(identifier, one.detail) for one in error.errors]
    return wrong or [row.problem("identifiers", reason)]
