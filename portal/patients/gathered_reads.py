"""The statements of reads that came at the same time: one for all of them, and one commit.

Each reader gets an access record of their own, as `json_reads` would write it. What the statement
cannot answer well is missing in its rows, and is not recorded: `json_reads` answers it then.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from portal.arrays import array_of
from portal.patients.models import Status
from portal.patients.search import tuning
from portal.patients.search.moment import OPEN_SINCE, Moment
from portal.patients.search.position import Position
from portal.patients.stored_json import stored_json_sql

CHANNEL = "api"
_PATIENTS = """
    (uuid[], bigint[], text[]) AS
    WITH found AS MATERIALIZED (
        SELECT asked.place, asked.user_id, asked.request_id, patients_patient.id,
            patients_patient.version, {json} AS json
        FROM unnest($1, $2, $3) WITH ORDINALITY AS asked (id, user_id, request_id, place)
        JOIN patients_patient ON patients_patient.id = asked.id
    ), seen AS (
        INSERT INTO patients_accessrecord (user_id, patient_ids, action, door, request_id)
        SELECT user_id, ARRAY[id], 'open', '{channel}', request_id FROM found
        WHERE json IS NOT NULL
    )
    SELECT place, version, json FROM found WHERE json IS NOT NULL
"""
# It gives the moment for the next page, since a moment has to be older than the rows of the page.
_PAGE = """
    (timestamptz, bigint[], text[]) AS
    WITH page AS MATERIALIZED (
        SELECT id, sort_key, row_number() OVER (ORDER BY sort_key, id) AS place
        FROM (
            SELECT id, sort_key FROM patients_patient WHERE status = '{status}'
            ORDER BY sort_key, id LIMIT {limit} + 1
        ) AS first_patients
    ), shown AS MATERIALIZED (
        SELECT page.place, page.id, page.sort_key, {json} AS json
        FROM page JOIN patients_patient ON patients_patient.id = page.id
        WHERE page.place <= {limit}
    ), answer AS MATERIALIZED (
        SELECT '[' || string_agg(json, ',' ORDER BY place) || ']' AS json,
            array_agg(id ORDER BY place) AS ids,
            ARRAY(
                SELECT pgh_id FROM patients_patientevent WHERE pgh_created_at >= $1
                LIMIT {max_seen} + 1
            ) AS seen
        FROM shown HAVING count(*) = count(json) AND count(*) > 0
    ), recorded AS (
        INSERT INTO patients_accessrecord (user_id, patient_ids, action, door, request_id)
        SELECT reader.user_id, answer.ids, 'list', '{channel}', reader.request_id
        FROM unnest($2, $3) AS reader (user_id, request_id), answer
        WHERE cardinality(answer.seen) <= {max_seen}
    )
    SELECT answer.json, answer.seen, (SELECT count(*) FROM page),
        last.id, last.sort_key, (SELECT {open_since})
    FROM answer, (SELECT id, sort_key FROM shown ORDER BY place DESC LIMIT 1) AS last
"""


class Reader(NamedTuple):
    """A reader is a user and a request: both are in the access record."""

    user_id: int
    request_id: str


@cache
def patients_statement() -> str:
    """Returns what follows PREPARE and a name, of a read of several patients."""
    return _PATIENTS.format(json=stored_json_sql(), channel=CHANNEL)


@cache
def page_statement(limit: int) -> str:
    """Returns the same of the first page of the list, with so many patients."""
    return _PAGE.format(
        json=stored_json_sql(),
        channel=CHANNEL,
        status=Status.ACTIVE.value,
        limit=limit,
        max_seen=tuning.SEARCH.max_seen,
        open_since=f"since FROM ({OPEN_SINCE}) AS moment (since)",
    )


def patients_values(patient_ids: Iterable[str], readers: Iterable[Reader]) -> list[str]:
    """Returns the values of `patients_statement`: arrays as PostgreSQL writes them.

    Ids of patients and of requests have been checked: nothing in them needs quotes.
    """
    return [array_of(patient_ids), *_columns(readers)]


def page_values(since: datetime, readers: Iterable[Reader]) -> list[Any]:
    """Returns the values of `page_statement`."""
    return [since, *_columns(readers)]


def cursor_after(row: Sequence[Any], since: datetime, limit: int) -> str | None:
    """Returns the cursor that follows this row of `page_statement`; empty if no more patients do.

    None while so much is being written that a cursor cannot name it.
    """
    _json, seen, count, last_id, place, _next_since = row
    if len(seen) > tuning.SEARCH.max_seen:
        return None
    if count <= limit:
        return ""
    return Position("", place, UUID(str(last_id)), Moment(since, tuple(sorted(seen)))).encode("")


def _columns(readers: Iterable[Reader]) -> list[str]:
    users, requests = zip(*readers, strict=True)
    return [array_of(users), array_of(requests)]
