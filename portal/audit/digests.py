"""How rows of the logs become digests: in the database, over a text that no setting of a session changes."""

from dataclasses import dataclass

from django.db import connection

from portal.audit.models import Log
from portal.patients.fields import PATIENT_FIELDS

# The form that each log is sealed in today. A column that comes or goes needs another form of its
# log: rows are checked by the one they were sealed in.
FORMS = {
    Log.READS: 1,
    Log.WRITES: max(field.log_form for field in PATIENT_FIELDS if field.is_recorded),
    Log.IDENTIFIERS: 1,
}
FIRST = ""  # Stands for the digest before the first seal.


def _columns_of_events(form: int) -> str:
    """Returns the columns of the patients' log in this form: those of later forms stand at the end."""
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
    for form in range(1, FORMS[Log.WRITES] + 1)
}
_DIGEST = """
    WITH row AS (
        SELECT {key} AS id, encode(sha256(convert_to(jsonb_build_array({columns})::text, 'UTF8')), 'hex') AS digest
        FROM {table} WHERE {key} > %(after)s AND {key} <= %(to)s ORDER BY {key} LIMIT %(limit)s)
    SELECT max(id), coalesce(array_agg(id ORDER BY id), ARRAY[]::bigint[]),
        coalesce(array_agg(('x' || left(digest, 8))::bit(32)::int ORDER BY id), ARRAY[]::int[]),
        encode(sha256(convert_to(%(before)s || coalesce(string_agg(digest, '' ORDER BY id), ''), 'UTF8')), 'hex')
    FROM row
"""


@dataclass(frozen=True)
class Batch:
    """Some rows of a log: the last id (None where there is no row), all ids, a mark of each, and one digest."""

    to_id: int | None
    row_ids: list[int]
    row_marks: list[int]
    digest: str


def table_of(log: str) -> tuple[str, str]:
    """The table of a log and its key."""
    table, key, _columns = _ROWS[Log(log), FORMS[Log(log)]]
    return table, key


def batch_of(
    log: str, *, after: int, to: int, digest_before: str, form: int, limit: int | None = None
) -> Batch:
    """The rows behind `after` up to `to`, at most `limit`, as they are now, in one of the log's forms."""
    table, key, columns = _ROWS[Log(log), form]
    statement = _DIGEST.format(table=table, key=key, columns=columns)
    with connection.cursor() as cursor:
        cursor.execute(
            statement, {"after": after, "to": to, "before": digest_before, "limit": limit}
        )
        return Batch(*cursor.fetchone())
