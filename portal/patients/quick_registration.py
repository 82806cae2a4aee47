"""Registers a patient who is like nobody by one message to the database, which is one transaction.

The message locks the person, looks for duplicates, inserts all rows and reads the answer. Nothing
is inserted where a rule, or somebody, has to decide: `services.register_patient` goes on then.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import IntegrityError, connection, transaction

from portal.accounts.models import User
from portal.patients.audit import written_by
from portal.patients.entered_identifiers import VALIDITY
from portal.patients.extensions import requests_sql
from portal.patients.matching.exact import LOOK_TYPES, MAY_MATCH, exact_look
from portal.patients.matching.refusal import lock_call
from portal.patients.matching.rules import has_exact_birth, person_key
from portal.patients.number_series import IDENTITY, compared_identities
from portal.patients.patient_rows import INSERTED, inserted_values, types_of
from portal.patients.stored_json import json_call
from portal.prepared import Call, Row, write_together

_IDENTIFIER = ("system", "value", *VALIDITY)
_IDENTIFIER_TYPES = ("text[]", "text[]", "date[]", "date[]")


def register_unlike_others(
    details: Mapping[str, Any], columns: Mapping[str, Any], *, by: User | None, source: str
) -> Row | None:
    """Returns id, version and JSON of the new patient; None where nothing was written."""
    look, identities = exact_look(details), compared_identities()
    if look is None or not identities:
        return None
    person = person_key(details)
    calls = [lock_call([person])] if has_exact_birth(person) else []
    values = [*look, identities, *_identifiers(details), *inserted_values(columns)]
    calls += [Call("register_patient", _statement, values), json_call(columns["id"])]
    with written_by(by, source=source, duplicate_reason=""):
        try:
            rows = _write(calls)
        except IntegrityError:  # Mostly another transaction took the identifier meanwhile.
            return None
    return rows[0] if rows else None


def _write(calls: Sequence[Call]) -> list[Row]:
    if not connection.in_atomic_block:
        return write_together(calls)
    with transaction.atomic():  # An error ends this part of the caller's transaction only.
        return write_together(calls)


def _identifiers(details: Mapping[str, Any]) -> list[list[Any]]:
    """Returns a list of values for each column of identifiers."""
    items = details.get("identifiers") or []
    return [[item.get(name) for item in items] for name in _IDENTIFIER]


def _statement() -> str:
    types = (*LOOK_TYPES, "text[]", *_IDENTIFIER_TYPES, *types_of(INSERTED))
    first = len(types) - len(INSERTED) + 1
    places = ", ".join(f"${place}" for place in range(first, len(types) + 1))
    return f"""
        ({", ".join(types)}) AS
        WITH written AS (
            INSERT INTO patients_patient ({", ".join(INSERTED)})
            SELECT {places} WHERE NOT ({MAY_MATCH}) AND ({IDENTITY}) = ANY($6)
            RETURNING id, version
        ), identifiers AS (
            INSERT INTO patients_patientidentifier (patient_id, {", ".join(_IDENTIFIER)})
            SELECT written.id, new.* FROM written, unnest($7, $8, $9, $10) AS new
            ORDER BY 2, 3
        ){requests_sql()}
        SELECT FROM written
    """  # noqa: S608 - constants
