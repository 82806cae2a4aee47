"""The end of the log, written anew where it is missing: for changes that came while the triggers were off."""

from collections.abc import Iterable
from uuid import UUID

from django.db import connection, transaction

from portal.accounts.models import User
from portal.patients.fields import RECORDED

# The lock is taken by a statement before: the insert then sees what was changed while it waited.
_HOLD = "SELECT id FROM patients_patient WHERE id = ANY(%(ids)s::uuid[]) ORDER BY id FOR UPDATE"
_COLUMNS = ", ".join([*RECORDED, "id", "created_at", "updated_at"])
_STATE = ", ".join(f"state.{name}" for name in [*RECORDED, "id", "created_at", "updated_at"])
_CONTEXT = "jsonb_build_object('user', %(user)s::bigint, 'source', 'command', 'restored', true)"
_RESTORE = f"""
    INSERT INTO patients_patientevent (pgh_obj_id, pgh_created_at, pgh_label, pgh_context, version, {_COLUMNS})
    SELECT state.id, clock_timestamp(), CASE missing.version WHEN 1 THEN 'insert' ELSE 'update' END,
        {_CONTEXT}, missing.version, {_STATE}
    FROM patients_patient AS state
    CROSS JOIN LATERAL (
        SELECT coalesce(max(version), 0) AS last, coalesce(bool_or(pgh_label = 'delete'), false) AS is_over
        FROM patients_patientevent WHERE pgh_obj_id = state.id) AS told
    CROSS JOIN LATERAL generate_series(told.last + 1, state.version) AS missing (version)
    WHERE state.id = ANY(%(ids)s::uuid[]) AND NOT told.is_over
    ORDER BY state.id, missing.version
"""  # noqa: S608
_END = f"""
    INSERT INTO patients_patientevent (pgh_obj_id, pgh_created_at, pgh_label, pgh_context, version, {_COLUMNS})
    SELECT state.id, clock_timestamp(), 'delete', {_CONTEXT}, state.version, {_STATE}
    FROM unnest(%(ids)s::uuid[]) AS wanted (id)
    CROSS JOIN LATERAL (SELECT * FROM patients_patientevent WHERE pgh_obj_id = wanted.id
                        ORDER BY version DESC, pgh_id DESC LIMIT 1) AS state
    WHERE state.pgh_label <> 'delete' AND NOT EXISTS (SELECT FROM patients_patient WHERE id = wanted.id)
    ORDER BY state.id
"""  # noqa: S608


def restore_log(patient_ids: Iterable[UUID], *, by: User | None) -> int:
    """Give each version after the log's last one a row with the patient as he or she is now; how many rows.

    What was changed in between is lost; the rows are marked `restored`. Doing it again changes nothing.
    """
    return _write(_RESTORE, patient_ids, by)


def restore_deletions(patient_ids: Iterable[UUID], *, by: User | None) -> int:
    """Have the log say of patients who are gone that they are; how many rows. Doing it again changes nothing."""
    return _write(_END, patient_ids, by)


@transaction.atomic
def _write(statement: str, patient_ids: Iterable[UUID], by: User | None) -> int:
    values = {"ids": [str(one) for one in patient_ids], "user": by.pk if by else None}
    with connection.cursor() as cursor:
        cursor.execute(_HOLD, values)
        cursor.execute(statement, values)
        return int(cursor.rowcount)
