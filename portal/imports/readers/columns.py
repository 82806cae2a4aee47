"""Which column means which field, by Synthea's names, our own, and those of clinics' tables."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from portal.imports.readers.foreign_headers import FIELD_BESIDE, FIELD_OF_WORD
from portal.imports.readers.rows import Unreadable
from portal.patients.fields import ENTERED, ENTERED_FIELDS
from portal.patients.normalize import fold

RECORD, MRN, IDENTIFIER_CELL = "id", "mrn", "identifiers"
SYSTEMS = ("ssn", "driver", "passport", "insurance", "mrn-other", "record-id")
# What a row may say of its record, in words; see `record_state`.
DECEASED, ACTIVE, STATUS = "deceased", "active", "status"
ALL = (*ENTERED, RECORD, MRN, IDENTIFIER_CELL, *SYSTEMS, DECEASED, ACTIVE, STATUS)
NO_HEADER = (
    "There is no usable header at the top. It must name the columns, for example family_name, "
    "given_name, date_of_birth, sex – or those of Synthea's patients.csv. In a text file commas, "
    "semicolons, tabs or bars part the cells."
)
_FIELD_OF_NAME = {
    **FIELD_OF_WORD,
    **{name: name for name in ALL},
    **{alias: column.name for column in ENTERED_FIELDS for alias in column.import_aliases},
    "drivers": "driver",
    "mrn_other": "mrn-other",
    "record_id": "record-id",
    **dict.fromkeys(["is_deceased", "dead", "deceased_flag", "deceased_indicator"], DECEASED),
    **dict.fromkeys(["deceased_boolean", "death_indicator", "vital_status"], DECEASED),
    **dict.fromkeys(["is_active", "active_flag", "in_use"], ACTIVE),
    **dict.fromkeys(["record_status", "patient_status"], STATUS),
}
_JOINED_WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])")  # lastName, DateOfBirth.
_REMARK = re.compile(r"[(\[].*[)\]]\s*$|[*:]+\s*$")  # DOB (yyyy-mm-dd), Surname*.
_MAX_NAME = 200  # Characters. The time that a name takes grows with the square of its length.
_WHOSE = re.compile(r"(?:patient|pt|person)_(?!id$|name$|status$)")
_KEYS = {RECORD, MRN, IDENTIFIER_CELL, *SYSTEMS}


@dataclass(frozen=True)
class Columns:
    """What the columns of a header mean.

    `fields` is the field at each position, `names` the file's name of each field, and `ignored` the
    names of the columns that are not imported.
    """

    fields: list[str | None]
    names: Mapping[str, str]
    ignored: list[str] = field(default_factory=list)


def field_for(name: str) -> str | None:
    """Returns the field that a column's name means, in any case and with any separators.

    A remark behind the name and the word "patient" before it do not count. None for an unknown
    column.
    """
    found = (_FIELD_OF_NAME.get(key) for key in _keys(name))
    return next(filter(None, found), None)


def fields_for(header: Sequence[str]) -> list[str | None]:
    """Returns the field of each column: some names mean one only beside others."""
    fields = [field_for(name) for name in header]
    if None not in fields:
        return fields
    keys = [header_key(name) for name in header]
    for index, key in enumerate(keys):
        field_name, others = FIELD_BESIDE.get(key, ("", frozenset()))
        if fields[index] is None and field_name not in fields and others & set(keys):
            fields[index] = field_name
    return fields


def header_key(name: str) -> str:
    """Returns the words of a column's name in lower case and without accents, with `_` between."""
    return fold(_REMARK.sub("", name[:_MAX_NAME])).replace(" ", "_")


def _keys(name: str) -> Iterator[str]:
    """Yields what a column's name may be known by."""
    if len(name) > _MAX_NAME:
        return
    for text in (name, _REMARK.sub("", name), _JOINED_WORDS.sub("_", _REMARK.sub("", name))):
        key = fold(text).replace(" ", "_")
        yield key
        yield _WHOSE.sub("", key, count=1)


def guess_fields(header: Sequence[str]) -> list[str]:
    """Returns a field for each column, "" for one to leave out.

    Of columns that mean the same, the first is taken.
    """
    fields = [name or "" for name in fields_for(header)]
    return [name if name not in fields[:index] else "" for index, name in enumerate(fields)]


def understand_header(header: Sequence[str], chosen: Sequence[str] = ()) -> Columns:
    """Returns the columns as chosen for each ("" leaves it out), or else by their names.

    Unreadable if rows cannot be told to be about a patient; its words quote only known names.
    """
    fields = _chosen_fields(header, chosen) if chosen else _fields_by_name(header)
    known = [name for name in fields if name]
    if repeated := {name for name in known if known.count(name) > 1}:
        names = ", ".join(sorted(repeated))
        raise Unreadable(f"Two columns of the header mean the same: {names}. Keep one of each.")
    columns = [(name.strip(), meaning) for name, meaning in zip(header, fields, strict=True)]
    names_by_field = {meaning: name for name, meaning in columns if meaning}
    others = [
        name or f"column {number} (without a name)"
        for number, (name, meaning) in enumerate(columns, start=1)
        if meaning is None
    ]
    return Columns(fields, names_by_field, others)


def can_name_a_patient(fields: Sequence[str]) -> bool:
    """Tells whether a row of these fields can name its patient: by a name or by a key."""
    return bool({"family_name", "given_name", *_KEYS} & set(fields))


def _fields_by_name(header: Sequence[str]) -> list[str | None]:
    fields = fields_for(header)
    known = [name for name in fields if name]
    if len(known) < 2 or not {"family_name", *_KEYS} & set(known):
        raise Unreadable(NO_HEADER)
    return fields


def _chosen_fields(header: Sequence[str], chosen: Sequence[str]) -> list[str | None]:
    if len(chosen) != len(header) or set(chosen) - set(ALL) - {""}:
        raise Unreadable("The columns that were chosen do not fit this file. Choose them again.")
    if not can_name_a_patient(chosen):
        raise Unreadable("No column becomes a name or an identifier. Choose at least one.")
    return [name or None for name in chosen]
