"""Searches whose page one message to the database finds, records and writes down as JSON.

They are those of texts without words that may be misspelt: numbers, dates, a few letters.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from portal.patients.search import tuning
from portal.patients.search.engine import HitPage, Search, most_hits, page_of_hits
from portal.patients.search.first_hits import FirstHits
from portal.patients.search.hits import hit_of
from portal.patients.search.moment import OPEN_SINCE, Snapshot
from portal.patients.search.statements import (
    Shape,
    planned_call,
    rung_values,
    rungs_sql,
    shape_of,
    size_for,
    with_interpretations,
)
from portal.patients.stored_json import stored_json_sql
from portal.prepared import Call, read_together

# The moment of the search has to be older than its hits, so that a statement before it reads it.
_NOTE_SINCE = f"AS SELECT set_config('portal.open_since', ({OPEN_SINCE})::text, true)"
_SINCE = "current_setting('portal.open_since')::timestamptz"
_SHOWN = """
    WITH {rungs}, found AS MATERIALIZED (
        SELECT *, row_number() OVER () AS at FROM (SELECT * FROM rung_{last} LIMIT %s) AS rows
    ), shown AS MATERIALIZED (
        SELECT found.at, found.id, {json} AS json
        FROM found JOIN patients_patient ON patients_patient.id = found.id WHERE found.at <= %s
    ), recorded AS (
        INSERT INTO patients_accessrecord (user_id, patient_ids, action, door, request_id)
        SELECT %s::bigint, array_agg(id ORDER BY at), 'list', %s, %s FROM shown
        HAVING count(*) > 0
    )
    SELECT found.*, shown.json, {since}, ARRAY(
        SELECT pgh_id FROM patients_patientevent WHERE pgh_created_at >= {since}
        LIMIT {most_events}
    )
    FROM found LEFT JOIN shown ON shown.at = found.at ORDER BY found.at
"""


class Access(NamedTuple):
    """An access is a user, a channel and a request: the access record has them."""

    user_id: int
    channel: str
    request_id: str


def find_at_once(
    asked: Search, limit: int, access: Access
) -> tuple[HitPage, Sequence[str | None]] | None:
    """Returns the page of `read_hits` and the JSON of each hit, and records the access.

    None where this takes more than a statement.
    """
    if not asked.is_one_statement:
        return None
    group = asked.interpretations
    values = [*rung_values(group, []), most_hits(limit), limit, *access]
    call = planned_call(_statement(shape_of(group), size_for(most_hits(limit))), values)
    if call is None:
        return None
    rows = read_together([Call("note_open_since", lambda: _NOTE_SINCE, []), call])
    if not rows:
        return HitPage([]), []
    found = with_interpretations([row[:-4] for row in rows], group)
    hits = [hit_of(patient, patient.place, whole) for patient, whole in found[: limit + 1]]
    snapshot = Snapshot(*rows[0][-2:])
    texts = [row[-3] for row in rows[:limit]]
    return page_of_hits(asked, hits, limit, snapshot, FirstHits()), texts


@lru_cache(maxsize=tuning.SEARCH.max_prepared)
def _statement(shape: Shape, size: int) -> str:
    return _SHOWN.format(
        rungs=rungs_sql(shape, size),
        last=len(shape) - 1,
        json=stored_json_sql(),
        since=_SINCE,
        most_events=tuning.SEARCH.max_seen + 1,
    )
