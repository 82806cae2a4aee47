"""Digests of log rows, computed in the database over a text that no session setting changes."""

from dataclasses import dataclass

from django.db import connection

from portal.audit.models import Log
from portal.patients.fields import PATIENT_FIELDS

# The form that each log is sealed in today. A column that comes or goes needs another form of its
# log: rows are checked by the one they were sealed in.
CURRENT_FORMS = {
    Log.READS: 1,
    Log.WRITES: max(field.log_form for field in PATIENT_FIELDS if field.is_recorded),
    Log.IDENTIFIERS: 1,
}
NO_DIGEST = ""  # The digest before the first seal.


def _columns_of_events(form: int) -> str:
    """Returns the columns of the patients' log in a form; those of later forms stand last."""
    recorded = [field for field in PATIENT_FIELDS if field.is_recorded and field.log_form <= form]
    recorded.sort(key=lambda field: field.log_form)
    first = [field.name for field in recorded if field.log_form == 1]
    later = [field.name for field in recorded if field.log_form > 1]
    head = ["pgh_id", "extract(epoch FROM pgh_created_at)", "pgh_label", "pgh_obj_id"]
    tail = ["pgh_context_id", "extract(epoch FROM created_at)", "extract(epoch FROM updated_at)"]
    return ", ".join([*head, "pgh_context", "version", *first, *tail, *later])


# Log and form: its table, key and columns.
_ROWS = {
    (Log.READS, 1): (
        "patients_accessrecord",
        "id",
        "id, extract(epoch FROM at), user_id, action, door, request_id, patient_ids",
    ),
    (Log.IDENTIFIERS, 1): (
        "patients_identifierchange",
        "id",
        "id, patient_id, version, is_added, system, value, valid_from, valid_to",
    ),
}
_ROWS |= {
    (Log.WRITES, form): ("patients_patientevent", "pgh_id", _columns_of_events(form))
    for form in range(1, CURRENT_FORMS[Log.WRITES] + 1)
}
_DIGEST = """
    WITH row AS (
        SELECT
            {key} AS id,
            encode(sha256(convert_to(jsonb_build_array({columns})::text, 'UTF8')), 'hex') AS digest
        FROM {table} WHERE {key} > %(after)s AND {key} <= %(to)s ORDER BY {key} LIMIT %(limit)s),
    batch AS (
        SELECT
            max(id) AS last_id,
            coalesce(array_agg(id ORDER BY id), ARRAY[]::bigint[]) AS ids,
            coalesce(array_agg(('x' || left(digest, 8))::bit(32)::int ORDER BY id), ARRAY[]::int[])
                AS marks,
            coalesce(string_agg(digest, '' ORDER BY id), '') AS digests
        FROM row)
    SELECT
        last_id, ids, marks,
        encode(sha256(convert_to(%(before)s || digests, 'UTF8')), 'hex')
    FROM batch
"""


@dataclass(frozen=True)
class LogBatch:
    """Some rows of a log: the last id, all ids, the start of each row's digest, and their digest.

    `to_id` is None where there is no row.
    """

    to_id: int | None
    row_ids: list[int]
    row_marks: list[int]
    digest: str


def table_of(log: str) -> tuple[str, str]:
    """Returns the table of a log and its key."""
    table, key, _columns = _ROWS[Log(log), CURRENT_FORMS[Log(log)]]
    return table, key


def batch_of(
    log: str, *, after: int, to: int, digest_before: str, form: int, limit: int | None = None
) -> LogBatch:
    """Reads the rows after `after` up to `to`, at most `limit`, as they are now.

    `form` names the columns that count, see CURRENT_FORMS.
    """
    table, key, columns = _ROWS[Log(log), form]
    statement = _DIGEST.format(table=table, key=key, columns=columns)
    with connection.cursor() as cursor:
        cursor.execute(
            statement, {"after": after, "to": to, "before": digest_before, "limit": limit}
        )
        return LogBatch(*cursor.fetchone())
