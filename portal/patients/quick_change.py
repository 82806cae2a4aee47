"""Changes a patient by two messages to the database, without a lock between them.

The first reads the patient and records the access. The second writes what a change makes of that,
if the record is still at the version that was read. Otherwise nothing is written, and
`services.change_patient` locks the record and goes on.
"""

from collections.abc import Collection
from uuid import UUID

from structlog.contextvars import get_contextvars

from portal.accounts.models import User
from portal.patients.audit import written_by
from portal.patients.extensions import extensions, requests_sql
from portal.patients.models import Patient
from portal.patients.number_series import IDENTITY, compared_identities
from portal.patients.patient_rows import (
    STORED,
    WRITTEN,
    WRITTEN_COLUMNS,
    patient_of,
    types_of,
)
from portal.patients.stored_json import stored_json_sql
from portal.prepared import Row, execute_prepared, write_prepared

_READ = """
    (uuid, bigint, text, text) AS
    WITH found AS MATERIALIZED (
        SELECT {columns}, {json} AS json FROM patients_patient WHERE id = $1
    ), seen AS (
        INSERT INTO patients_accessrecord (user_id, patient_ids, action, door, request_id)
        SELECT $2, ARRAY[id], 'open', $3, $4 FROM found
    )
    SELECT * FROM found
"""


def read_to_change(
    user: User, patient_id: UUID, *, channel: str
) -> tuple[Patient, str | None] | None:
    """Returns the patient and its JSON, and records the access; None for no patient."""
    values = [patient_id, user.pk, channel, get_contextvars().get("request_id", "")]
    rows = execute_prepared("read_to_change", _read, values)
    if not rows:
        return None
    *stored, text = rows[0]
    return patient_of(stored), text


def write_unless_changed(
    patient: Patient, columns: Collection[str], *, by: User | None, source: str
) -> Row | None:
    """Writes these columns of a patient that was read, if nobody changed the record meanwhile.

    Returns id, version and JSON; None where nothing was written.
    """
    identities = compared_identities()
    is_watched = any(not each.watched_columns.isdisjoint(columns) for each in extensions())
    if is_watched or not identities or not columns or not WRITTEN_COLUMNS.issuperset(columns):
        return None
    values = [patient.pk, patient.version, identities, *(getattr(patient, at) for at in WRITTEN)]
    with written_by(by, source=source):
        rows = write_prepared("change_patient", _change, values)
    return rows[0] if rows else None


def _read() -> str:
    return _READ.format(columns=", ".join(STORED), json=stored_json_sql())


def _change() -> str:
    types = ("uuid", "bigint", "text[]", *types_of(WRITTEN))
    places = ", ".join(f"{name} = ${place}" for place, name in enumerate(WRITTEN, start=4))
    return f"""
        ({", ".join(types)}) AS
        WITH written AS (
            UPDATE patients_patient SET {places}
            WHERE id = $1 AND version = $2 AND ({IDENTITY}) = ANY($3)
            RETURNING id, version, {stored_json_sql()} AS json
        ){requests_sql()}
        SELECT id, version, json FROM written
    """  # noqa: S608 - constants
