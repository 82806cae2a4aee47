"""Checks rows without anything odd by a short way, and hands them over to the process that writes.

A row travels as plain values, which takes half the time of objects. Whatever is odd about a row
leaves it to `read_row`, which knows the words for it: both give the same.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from portal.imports.matching.row import CheckedRow, ReadRow, read_row
from portal.imports.readers import PatientFile, Row, TableFile
from portal.imports.readers.plain_records import PlainRecords
from portal.imports.readers.plain_values import PlainField
from portal.imports.readers.table_rows import is_filled
from portal.patients.columns import InvalidValue
from portal.patients.entered_identifiers import validate_identifiers
from portal.patients.fields import ENTERED
from portal.patients.matching.rules import (
    ComparedFields,
    IdentifierKey,
    compared_fields,
    identifier_keys,
    person_key,
)
from portal.patients.normalize import e164
from portal.patients.reference.identifier_proof import why_it_proves_nothing
from portal.patients.reference.identifier_systems import SYSTEMS
from portal.text import has_letter

_PLAIN_NUMBER = re.compile(r"[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*\Z")
_PLAIN_LENGTH = 50  # Characters: less than any limit of an identifier.

Packed = Any  # What `pack` and `pack_plain` return.


def packed_rows(file: PatientFile, after: int = 0) -> Iterator[Packed]:
    """Yields the checked rows after row `after` as they are handed over, in the file's order."""
    if isinstance(file, TableFile):
        yield from _rows_of_table(file, after)
        return
    plain = PlainDetails()
    for row in file.rows(after):
        values = None if row.problems else plain.values_of(row.details)
        packed = None if values is None else pack_plain(row, values)
        yield pack(row) if packed is None else packed


def _rows_of_table(file: TableFile, after: int) -> Iterator[Packed]:
    plain = PlainRecords(file.row_reader)
    for record in file.behind_header():
        if record.number <= after:
            continue
        found = plain.read(record)
        packed = None if found is None else pack_plain(*found)
        if packed is not None:
            yield packed
        elif is_filled(record):
            yield pack(file.row_reader.read(record))


def pack_plain(row: Row, values: dict[str, Any]) -> Packed | None:
    """Returns the row as it is handed over; None if anything about it is odd.

    `values` are the validated values of its fields but the identifiers; they are added here.
    """
    if row.problems or row.left_out:
        return None
    born, died = values.get("date_of_birth"), values.get("deceased_on")
    if (born and died and died < born) or not _may_have_name(values):
        return None
    keys: set[IdentifierKey] = set()
    if identifiers := row.details.get("identifiers"):
        validated = _validate_identifiers(identifiers)
        if validated is None:
            return None
        values["identifiers"], keys = validated
    if "phone" in values:
        values["phone_e164"] = e164(values["phone"], values.get("country", ""))
    compared = compared_fields(values, ())
    person = person_key(values, compared)
    return _packed(row, values, (), keys, person, compared)


def pack(row: Row) -> Packed:
    """Returns the row as it is handed over, after its whole check."""
    read = read_row(row)
    if read.checked is None or read.checked.source is not read.row:
        return read
    _, details, left_out, keys, person, compared = read.checked
    return _packed(row, details, left_out, keys, person, compared)


def unpack(packed: Packed) -> ReadRow:
    """Returns the row that was packed."""
    if isinstance(packed, ReadRow):
        return packed
    row, details, left_out, keys, person, compared, name_key = packed
    fields = ComparedFields(*compared)
    fields.__dict__["name_key"] = name_key  # It is not to be found again.
    source = Row._make(row)
    return ReadRow(source, CheckedRow(source, details, left_out, keys, person, fields))


class PlainDetails:
    """The validated values of rows that are read without a table, each distinct text once."""

    def __init__(self) -> None:
        self._fields = {name: PlainField(name) for name in ENTERED}

    def values_of(self, details: Mapping[str, Any]) -> dict[str, Any] | None:
        """Returns the values of the fields but the identifiers; None if one is odd."""
        values = {}
        for name, text in details.items():
            if name == "identifiers":
                continue
            value = self._fields[name].value_of(text)
            if value is None:
                return None
            values[name] = value
        return values


def _packed(
    row: Row,
    details: dict[str, Any],
    left_out: Any,
    keys: Any,
    person: Any,
    compared: ComparedFields,
) -> Packed:
    fields = (
        compared.family,
        compared.given,
        compared.born,
        compared.precision,
        compared.phone,
        compared.identifiers,
        compared.second_phone,
    )
    return tuple(row), details, left_out, keys, person, fields, compared.name_key


def _may_have_name(values: Mapping[str, Any]) -> bool:
    """Tells whether the names have a letter, or one of them is not in the file."""
    family, given = values.get("family_name"), values.get("given_name")
    return family is None or given is None or has_letter(family) or has_letter(given)


def _validate_identifiers(
    identifiers: list[dict[str, str]],
) -> tuple[list[dict[str, Any]], set[IdentifierKey]] | None:
    """Returns the validated identifiers and their keys; None if one of them is odd."""
    plain = {}
    for item in identifiers:
        key = _plain_identifier(item)
        if key is None:
            return _validate_each_identifier(identifiers)
        plain[key] = {"system": key[0], "value": key[1]}
    return list(plain.values()), set(plain)


def _plain_identifier(item: dict[str, str]) -> IdentifierKey | None:
    """Returns an identifier of one of our systems whose value has letters, digits and dashes."""
    system, typed = item["system"], item["value"]
    is_plain = system in SYSTEMS and len(typed) <= _PLAIN_LENGTH and len(item) == 2
    if not is_plain or not _PLAIN_NUMBER.match(typed) or why_it_proves_nothing(system, typed):
        return None
    value = typed.replace("-", "").upper()
    return None if value != typed and why_it_proves_nothing(system, value) else (system, value)


def _validate_each_identifier(
    identifiers: list[dict[str, str]],
) -> tuple[list[dict[str, Any]], set[IdentifierKey]] | None:
    if any(why_it_proves_nothing(item["system"], item["value"]) for item in identifiers):
        return None
    try:
        validated = validate_identifiers(identifiers)
    except InvalidValue:
        return None
    return validated, identifier_keys({"identifiers": validated})
