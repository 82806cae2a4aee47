"""Registers patients whom programs sent at the same time by one message, which is one transaction.

Each is written as `quick_registration` would, with a context of its own in the log. Who cannot be
decided by the statement is not written, and missing in its rows: `services` decides then. So is a
person whom another transaction has locked, so that no other waits for that.
"""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from portal.accounts.models import User
from portal.arrays import array_of
from portal.patients.entered_identifiers import VALIDITY
from portal.patients.extensions import requests_sql
from portal.patients.log_triggers import SET_CONTEXTS
from portal.patients.matching.exact import LOOK_TYPES, exact_look, may_match_sql
from portal.patients.matching.refusal import LOCK_NUMBER, lock_text
from portal.patients.matching.rules import has_exact_birth, person_key
from portal.patients.number_series import IDENTITY, compared_identities
from portal.patients.patient_rows import INSERTED, inserted_values, new_columns, types_of
from portal.patients.stored_json import stored_json_sql
from portal.prepared import Call

_encode = json.JSONEncoder(default=str, ensure_ascii=False).encode
_LOOK = ("look_name", "look_birth", "look_spellings", "look_systems", "look_values")
_IDENTIFIER = ("patient_id", "system", "value", *VALIDITY)
_IDENTIFIER_TYPES = ("uuid", "text", "text", "date", "date")
# Locks what nobody else holds, and says so to the next statement, which has a newer snapshot.
_PEOPLE = f"""
    (text, uuid[], text[]) AS SELECT
        {SET_CONTEXTS.format("$1")},
        set_config('portal.locked', (
            SELECT coalesce(string_agg(id::text, ','), '') FROM unnest($2, $3) AS new (id, person)
            WHERE person IS NULL OR pg_try_advisory_xact_lock({LOCK_NUMBER})
        ), true)
"""  # noqa: S608 - constants
_PATIENTS = """
    (json, json, text[]) AS
    WITH new AS MATERIALIZED (
        SELECT * FROM json_to_recordset($1) AS new ({row})
        WHERE id = ANY(string_to_array(current_setting('portal.locked'), ',')::uuid[])
    ), written AS (
        INSERT INTO patients_patient ({inserted})
        SELECT {inserted} FROM new WHERE NOT ({may_match}) AND ({identity}) = ANY($3)
        ORDER BY id
        RETURNING id, version
    ), identifiers AS (
        INSERT INTO patients_patientidentifier ({identifier})
        SELECT given.* FROM json_to_recordset($2) AS given ({identifier_row})
        JOIN written ON written.id = given.patient_id
        ORDER BY system, value
    ){requests}
    SELECT FROM written
"""


class Registration(NamedTuple):
    """A new patient as rows of JSON; `claims` are what no other of the same message may have."""

    patient_id: UUID
    person: str | None  # The text of the person's lock; None for a birth that is not exact.
    claims: frozenset[str]
    row: str
    identifiers: str  # Rows without the brackets around them.
    context: str  # A member of the object of contexts.


def prepare_registration(
    details: Mapping[str, Any], *, by: User, source: str, **context: str
) -> Registration | None:
    """Returns what a message needs; None where `register_patient` has to decide.

    `context` is for the log. It asks no database.
    """
    look = exact_look(details)
    if look is None:
        return None
    columns = new_columns(details, source)
    logged = {"user": by.pk, "source": source, "duplicate_reason": "", **context}
    patient_id, person = columns["id"], person_key(details)
    row = dict(zip((*INSERTED, *_LOOK), (*inserted_values(columns), *look), strict=True))
    items = details.get("identifiers") or []
    rows = [{**item, "patient_id": patient_id} for item in items]
    texts = [_json(row), _json(rows)[1:-1], f'"{patient_id}": {_json(logged)}']
    if any("\\u0000" in text for text in texts):
        return None  # One text that PostgreSQL refuses would fail the others.
    lock = lock_text(person) if has_exact_birth(person) else None
    claims = [_json([item["system"], item["value"]]) for item in items]
    return Registration(patient_id, lock, frozenset([*claims, lock] if lock else claims), *texts)


def registration_calls(registrations: Sequence[Registration]) -> list[Call]:
    """Returns the message: the last of its statements gives id, version and JSON of the written."""
    ids = array_of(new.patient_id for new in registrations)
    contexts = f"{{{', '.join(new.context for new in registrations)}}}"
    rows = f"[{', '.join(new.row for new in registrations)}]"
    identifiers = f"[{', '.join(new.identifiers for new in registrations if new.identifiers)}]"
    people = [new.person for new in registrations]
    return [
        Call("gathered_people", _people, [contexts, ids, people]),
        Call("gathered_registrations", _patients, [rows, identifiers, compared_identities()]),
        Call("gathered_new_json", _answers, [ids]),
    ]


def _json(value: Any) -> str:
    text = _encode(value)
    text.encode()  # UnicodeEncodeError for half of a character.
    return text


def _people() -> str:
    return _PEOPLE


@cache
def _patients() -> str:
    look = (f"new.{name}" for name in _LOOK)
    return _PATIENTS.format(
        row=_columns((*INSERTED, *_LOOK), (*types_of(INSERTED), *LOOK_TYPES)),
        inserted=", ".join(INSERTED),
        may_match=may_match_sql(*look),
        identity=IDENTITY,
        identifier=", ".join(_IDENTIFIER),
        identifier_row=_columns(_IDENTIFIER, _IDENTIFIER_TYPES),
        requests=requests_sql(),
    )


def _columns(names: Sequence[str], types: Sequence[str]) -> str:
    return ", ".join(f"{name} {kind}" for name, kind in zip(names, types, strict=True))


def _answers() -> str:
    return f"""
        (uuid[]) AS
        SELECT id, version, {stored_json_sql()} FROM patients_patient WHERE id = ANY($1)
    """  # noqa: S608 - constants
