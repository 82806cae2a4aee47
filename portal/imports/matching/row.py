"""A row whose values were checked, and the keys that tell which patient it is about."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from portal.errors import InvalidInput
from portal.imports.readers import Problem, Row
from portal.patients.fields import FIELD_OF
from portal.patients.matching.rules import (
    ComparedFields,
    IdentifierKey,
    PersonKey,
    compared_fields,
    identifier_keys,
    person_key,
)
from portal.patients.reference.identifier_proof import why_it_proves_nothing
from portal.patients.validation import validate_details


class CheckedRow(NamedTuple):
    """A row of the file together with its validated data.

    `left_out` are the parts of it that are not imported, each with its reason. `identifiers` are
    those that the row carries, as (system, value). `person_key` is name and date of birth, compared
    as the registration of a patient compares them, and `compared_fields` are compared with people
    who may be the same.
    """

    source: Row
    details: dict[str, Any]
    left_out: Sequence[Problem]
    identifiers: set[IdentifierKey]
    person_key: PersonKey
    compared_fields: ComparedFields

    @property
    def number(self) -> int:
        return self.source.number

    @property
    def has_name(self) -> bool:
        return bool(self.details.get("family_name") or self.details.get("given_name"))


class ReadRow(NamedTuple):
    """A row of the file with what its check has found: `checked`, or everything that is wrong."""

    row: Row
    checked: CheckedRow | None
    problems: Sequence[Problem] = ()


def read_row(row: Row) -> ReadRow:
    """Returns the row with what its check has found."""
    result = check_row(row)
    return ReadRow(row, result) if isinstance(result, CheckedRow) else ReadRow(row, None, result)


def check_row(row: Row) -> CheckedRow | list[Problem]:
    """Returns the checked row, or everything that is wrong with it."""
    problems = list(row.problems)
    details, left_out = _without_proofless_identifiers(row)
    try:
        validated = validate_details(details, partial=True)
    except InvalidInput as error:
        if lighter := _without_optional(row, error):
            return check_row(lighter)
        problems += problems_from_error(row, error)
    if not problems:
        return with_keys(row, validated, (*row.left_out, *left_out))
    order = ["", *row.columns.values()]  # A problem of the whole row comes first.
    return sorted(
        problems, key=lambda problem: order.index(problem.column) if problem.column in order else 0
    )


def with_keys(row: Row, details: dict[str, Any], left_out: Sequence[Problem] = ()) -> CheckedRow:
    """Returns the row with these validated data."""
    compared = compared_fields(details, ())
    keys = identifier_keys(details)
    return CheckedRow(row, details, left_out, keys, person_key(details, compared), compared)


def _without_proofless_identifiers(row: Row) -> tuple[Mapping[str, Any], list[Problem]]:
    """Returns the details without identifiers that prove nothing, and why each was left out.

    The person of the row comes in all the same, and nobody is taken for the next one with such a
    number.
    """
    kept, left_out = [], []
    for identifier in row.details.get("identifiers", []):
        fault = why_it_proves_nothing(identifier["system"], identifier["value"])
        if fault is None:
            kept.append(identifier)
        else:
            reason = f"Left out, since it {fault.reason}."
            left_out.append(row.identifier_problem(identifier, reason))
    if not left_out:
        return row.details, []
    details = {name: value for name, value in row.details.items() if name != "identifiers"}
    return details | ({"identifiers": kept} if kept else {}), left_out


def _without_optional(row: Row, error: InvalidInput) -> Row | None:
    """Returns the row without values that are not understood, and tells of them.

    None if the row has none that it may lose.
    """
    lost = {problem.pointer for problem in error.errors} & row.optional & row.details.keys()
    if not lost:
        return None
    details = {name: value for name, value in row.details.items() if name not in lost}
    parts = Counter(row.parts_left_out)
    for name in lost:
        parts[f"{FIELD_OF[name].label.lower()} that is not understood"] += 1
    return row._replace(details=details, parts_left_out=parts)


def valid_rows(rows: Iterable[ReadRow]) -> list[CheckedRow]:
    """Returns the rows that have no problem."""
    return [row.checked for row in rows if row.checked]


def problems_from_error(row: Row, error: InvalidInput) -> list[Problem]:
    """Returns the error's fields in the words of the file."""
    problems: list[Problem] = []
    for field_error in error.errors:
        if field_error.pointer == "identifiers":
            problems += _identifier_problems(row, field_error.detail)
        else:
            problems.append(row.problem(field_error.pointer, field_error.detail))
    return problems


def _identifier_problems(row: Row, reason: str) -> list[Problem]:
    """Validates each identifier alone, so that the message names the column of the wrong one."""
    problems = []
    for identifier in row.details["identifiers"]:
        try:
            validate_details({"identifiers": [identifier]}, partial=True)
        except InvalidInput as error:
            details = [field_error.detail for field_error in error.errors]
            problems += [row.identifier_problem(identifier, detail) for detail in details]
    return problems or [row.problem("identifiers", reason)]
