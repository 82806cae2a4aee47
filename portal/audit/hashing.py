"""How rows of the logs become digests: in the database, over a text that no setting of a session changes."""

from dataclasses import dataclass

from django.db import connection

from portal.audit.models import Log

# A column that comes or goes needs another form of its log; rows are checked by the one they were sealed in.
FORMS = {Log.READS: 1, Log.WRITES: 2, Log.IDENTIFIERS: 1}
FIRST = ""  # Stands for the digest before the first seal.
_EVENT_OF_FORM_1 = """
        pgh_id, extract(epoch FROM pgh_created_at), pgh_label, pgh_obj_id, pgh_context, version,
        mrn, family_name, given_name, middle_name, prefix, suffix, preferred_name,
        date_of_birth, date_of_birth_precision, sex, email, phone, phone_e164,
        address_line1, address_line2, city, region, postal_code, country,
        marital_status, race, ethnicity, language, deceased_on, registered_on, source, status,
        pgh_context_id, extract(epoch FROM created_at), extract(epoch FROM updated_at)"""
_ROWS = {
    (Log.READS, 1): ("patients_accessrecord", "id", """
        id, extract(epoch FROM at), user_id, action, door, request_id, patient_ids"""),
    (Log.WRITES, 1): ("patients_patientevent", "pgh_id", _EVENT_OF_FORM_1),
    (Log.WRITES, 2): ("patients_patientevent", "pgh_id", f"{_EVENT_OF_FORM_1}, merged_into_id"),
    (Log.IDENTIFIERS, 1): ("patients_identifierchange", "id", """
        id, patient_id, version, is_added, system, value, valid_from, valid_to"""),
}  # fmt: skip
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
