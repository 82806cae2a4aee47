"""Which column means which field: Synthea's names, our own, and the plain ones of clinics' spreadsheets."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from portal.imports.readers.rows import Unreadable

FIELDS = (
    "family_name", "given_name", "middle_name", "prefix", "suffix", "preferred_name", "date_of_birth",
    "date_of_birth_precision", "sex", "email", "phone", "address_line1", "address_line2", "city", "region",
    "postal_code", "country", "marital_status", "race", "ethnicity", "language", "deceased_on", "registered_on",
)  # fmt: skip
RECORD, MRN, TOKENS = "id", "mrn", "identifiers"
SYSTEMS = ("ssn", "driver", "passport", "insurance", "mrn-other", "record-id")
_OTHER_NAMES = {
    "last": "family_name", "last_name": "family_name", "surname": "family_name", "family": "family_name",
    "first": "given_name", "first_name": "given_name", "forename": "given_name", "given": "given_name",
    "middle": "middle_name", "title": "prefix", "nickname": "preferred_name",
    "birthdate": "date_of_birth", "birth_date": "date_of_birth", "dob": "date_of_birth",
    "gender": "sex", "e_mail": "email", "telephone": "phone", "phone_number": "phone",
    "address": "address_line1", "address_1": "address_line1", "address_2": "address_line2", "town": "city",
    "state": "region", "zip": "postal_code", "zip_code": "postal_code", "postcode": "postal_code",
    "marital": "marital_status", "deathdate": "deceased_on", "death_date": "deceased_on",
    "drivers": "driver", "mrn_other": "mrn-other", "record_id": "record-id",
}  # fmt: skip
ALL = (*FIELDS, RECORD, MRN, TOKENS, *SYSTEMS)
NO_HEADER = (
    "The first row has no usable header. It must name the columns, for example family_name, given_name, "
    "date_of_birth, sex – or those of Synthea's patients.csv."
)
_KNOWN = {name: name for name in ALL} | _OTHER_NAMES
_OURS_ALONE = frozenset(
    {"status", "version", "source", "reason"}
)  # Of our exports and rejects files; not imported.
_KEYS = {RECORD, MRN, TOKENS, *SYSTEMS}


@dataclass(frozen=True)
class Columns:
    """A header understood: the field at each position, the file's word for each field, and what is not imported."""

    fields: list[str | None]
    words: Mapping[str, str]
    ignored: list[str] = field(default_factory=list)


def field_for(name: str) -> str | None:
    """The field that a column's name means, in any case and with any separators; None for an unknown column."""
    return _KNOWN.get(re.sub(r"[^a-z0-9]+", "_", name.strip().lower()).strip("_"))


def guess_fields(header: Sequence[str]) -> list[str]:
    """A field for each column, "" for one to leave out; of columns that mean the same, the first is taken."""
    found = [field_for(name) or "" for name in header]
    return [name if name not in found[:index] else "" for index, name in enumerate(found)]


def understand_header(header: Sequence[str], chosen: Sequence[str] = ()) -> Columns:
    """The columns of a header, by what was chosen for each ("" leaves it out) or else by their names.

    Unreadable when patients cannot be made out of them. Its words quote only names that we know.
    """
    fields = _checked(header, chosen) if chosen else _guessed(header)
    known = [name for name in fields if name]
    words = {found: name.strip() for found, name in zip(fields, header, strict=True) if found}
    if doubled := {name for name in known if known.count(name) > 1}:
        raise Unreadable(
            f"Two columns of the header mean the same: {', '.join(sorted(doubled))}. Keep one of each."
        )
    others = [
        name.strip()
        for name, found in zip(header, fields, strict=True)
        if found is None and name.strip()
    ]
    return Columns(fields, words, [name for name in others if name.lower() not in _OURS_ALONE])


def can_name_a_patient(fields: Sequence[str]) -> bool:
    """Whether rows of these fields can be told to be about somebody: by a name or by a key."""
    return bool({"family_name", "given_name", *_KEYS} & set(fields))


def _guessed(header: Sequence[str]) -> list[str | None]:
    fields = [field_for(name) for name in header]
    known = {name for name in fields if name}
    if len([name for name in fields if name]) < 2 or not ("family_name" in known or _KEYS & known):
        raise Unreadable(NO_HEADER)
    return fields


def _checked(header: Sequence[str], chosen: Sequence[str]) -> list[str | None]:
    if len(chosen) != len(header) or set(chosen) - set(ALL) - {""}:
        raise Unreadable("The columns that were chosen do not fit this file. Choose them again.")
    if not can_name_a_patient(chosen):
        raise Unreadable("No column becomes a name or an identifier. Choose at least one.")
    return [name or None for name in chosen]
