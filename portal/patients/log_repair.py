"""Repairs the end of the log where it lacks changes that were made while the triggers were off."""

from collections.abc import Iterable
from uuid import UUID

from django.db import connection, transaction

from portal.accounts.models import User
from portal.patients.fields import RECORDED

_KEPT = [*RECORDED, "id", "created_at", "updated_at"]
_COLUMNS = ", ".join(_KEPT)
_STATE = ", ".join(f"state.{name}" for name in _KEPT)
_CONTEXT = "jsonb_build_object('user', %(user)s::bigint, 'source', 'command', 'restored', true)"
# A statement of its own takes the lock: the insert then sees what was changed while it waited.
_LOCK = "SELECT id FROM patients_patient WHERE id = ANY(%(ids)s::uuid[]) ORDER BY id FOR UPDATE"
_INSERT_MISSING_VERSIONS = f"""
    INSERT INTO patients_patientevent
        (pgh_obj_id, pgh_created_at, pgh_label, pgh_context, version, {_COLUMNS})
    SELECT state.id, clock_timestamp(), CASE missing.version WHEN 1 THEN 'insert' ELSE 'update' END,
        {_CONTEXT}, missing.version, {_STATE}
    FROM patients_patient AS state
    CROSS JOIN LATERAL (
        SELECT coalesce(max(version), 0) AS last_version,
            coalesce(bool_or(pgh_label = 'delete'), false) AS has_delete
        FROM patients_patientevent WHERE pgh_obj_id = state.id) AS logged
    CROSS JOIN LATERAL generate_series(logged.last_version + 1, state.version) AS missing (version)
    WHERE state.id = ANY(%(ids)s::uuid[]) AND NOT logged.has_delete
    ORDER BY state.id, missing.version
"""
_INSERT_MISSING_DELETES = f"""
    INSERT INTO patients_patientevent
        (pgh_obj_id, pgh_created_at, pgh_label, pgh_context, version, {_COLUMNS})
    SELECT state.id, clock_timestamp(), 'delete', {_CONTEXT}, state.version, {_STATE}
    FROM unnest(%(ids)s::uuid[]) AS wanted (id)
    CROSS JOIN LATERAL (
        SELECT * FROM patients_patientevent WHERE pgh_obj_id = wanted.id
        ORDER BY version DESC, pgh_id DESC LIMIT 1) AS state
    WHERE state.pgh_label <> 'delete'
        AND NOT EXISTS (SELECT FROM patients_patient WHERE id = wanted.id)
    ORDER BY state.id
"""


def restore_log(patient_ids: Iterable[UUID], *, by: User | None) -> int:
    """Inserts a row for each version that the log lacks at its end; returns how many.

    The rows have the patient as it is now, since what was changed in between is lost, and are
    marked `restored`. A second time it changes nothing.
    """
    return _repair(_INSERT_MISSING_VERSIONS, patient_ids, by)


def restore_deletions(patient_ids: Iterable[UUID], *, by: User | None) -> int:
    """Inserts the missing deletion of each patient who is gone; returns how many."""
    return _repair(_INSERT_MISSING_DELETES, patient_ids, by)


@transaction.atomic
def _repair(statement: str, patient_ids: Iterable[UUID], by: User | None) -> int:
    values = {"ids": [str(patient_id) for patient_id in patient_ids], "user": by.pk if by else None}
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, values)
        cursor.execute(statement, values)
        return int(cursor.rowcount)
