"""A patient's JSON made by the database: one expression, from the field table, for every read.

It has the members of `PatientJson`, in the same order, which a test compares. Where a stored date
cannot be, the expression is null: then the serializer says it with a warning.
"""

from collections.abc import Iterable
from functools import cache
from uuid import UUID

from portal.patients.extensions import extensions
from portal.patients.fields import ENTERED_FIELDS, JSON_NAMES, Kind
from portal.patients.models import FIRST_DAY, FOR_EVER, LAST_DAY
from portal.prepared import Call

_P = "patients_patient"
_FULL_NAME = ("prefix", "given_name", "middle_name", "family_name", "suffix")
_IDENTIFIERS = f"""
    coalesce((
        SELECT json_agg(
            json_build_object(
                'system', system, 'value', value, 'validFrom', valid_from, 'validTo', valid_to
            ) ORDER BY system, value
        )
        FROM patients_patientidentifier WHERE patient_id = {_P}.id
    ), '[]'::json)
"""  # noqa: S608 - constants
_IDENTIFIERS_ARE_POSSIBLE = f"""
    NOT EXISTS (
        SELECT FROM patients_patientidentifier
        WHERE patient_id = {_P}.id AND (
            valid_from NOT BETWEEN '{FIRST_DAY}' AND '{FOR_EVER}'
            OR valid_to NOT BETWEEN '{FIRST_DAY}' AND '{FOR_EVER}'
        )
    )
"""


def json_call(patient_id: UUID) -> Call:
    """Returns the statement that reads a patient's id, version and JSON."""
    return Call("patient_json", _statement, [patient_id])


def _statement() -> str:
    return f"(uuid) AS SELECT id, version, {stored_json_sql()} FROM {_P} WHERE id = $1"  # noqa: S608 - constants


@cache
def stored_json_sql() -> str:
    """Returns the SQL expression, of type text, for a query that reads `patients_patient`."""
    members = {"id": f"{_P}.id", "mrn": f"{_P}.mrn", "name": _joined(" ", map(_filled, _FULL_NAME))}
    members |= {JSON_NAMES[field.name]: f"{_P}.{field.name}" for field in ENTERED_FIELDS}
    members |= {
        "address": _address(),
        "identifiers": _IDENTIFIERS,
        "status": f"{_P}.status",
        "mergedInto": f"{_P}.merged_into_id",
        "version": f"{_P}.version",
    }
    members |= {extension.name: extension.json_sql(f"{_P}.id") for extension in extensions()}
    pairs = ", ".join(f"'{name}', {value}" for name, value in members.items())
    return f"CASE WHEN {_dates_are_possible()} THEN json_build_object({pairs})::text END"


def _dates_are_possible() -> str:
    columns = [f"{_P}.{field.name}" for field in ENTERED_FIELDS if field.kind is Kind.DATE]
    days = f"BETWEEN '{FIRST_DAY}' AND '{LAST_DAY}'"
    checks = [f"({column} IS NULL OR {column} {days})" for column in columns]
    return " AND ".join([*checks, _IDENTIFIERS_ARE_POSSIBLE])


def _address() -> str:
    """Returns `Patient.address_text` in SQL."""
    place = f"nullif({_joined(' ', map(_filled, ('region', 'postal_code')))}, '')"
    lines = [_filled(name) for name in ("address_line1", "address_line2", "city")]
    return _joined(", ", [*lines, place, _filled("country")])


def _filled(column: str) -> str:
    return f"nullif({_P}.{column}, '')"


def _joined(separator: str, values: Iterable[str]) -> str:
    return f"concat_ws('{separator}', {', '.join(values)})"
