"""The first page of the list, which programs ask for most: `search` without a text, made shorter.

It needs no transaction of its own, since one statement reads the page and which changes it saw.
"""

from uuid import UUID

from portal.patients.models import Status
from portal.patients.search import tuning
from portal.patients.search.moment import Moment, open_since
from portal.patients.search.position import Position
from portal.prepared import execute_prepared

# The limit is no parameter: PostgreSQL would plan for a tenth of all patients.
_PAGE = """
    (timestamptz) AS
    SELECT id, sort_key, ARRAY(
        SELECT pgh_id FROM patients_patientevent WHERE pgh_created_at >= $1 LIMIT {most_seen}
    )
    FROM patients_patient WHERE status = '{status}' ORDER BY sort_key, id LIMIT {limit}
"""


def read_first_page(limit: int) -> tuple[list[UUID], str] | None:
    """Returns the first active patients and the cursor of the next page, as `search` would.

    None while so much is being written that a cursor cannot name it.
    """
    since = open_since()
    rows = execute_prepared(f"first_page_{limit}", lambda: _page_statement(limit), [since])
    if len(rows) <= limit:
        return [row[0] for row in rows], ""
    last_id, place, seen = rows[limit - 1]
    if len(seen) > tuning.SEARCH.max_seen:
        return None
    position = Position("", place, last_id, Moment(since, tuple(sorted(seen))))
    return [row[0] for row in rows[:limit]], position.encode("")


def _page_statement(limit: int) -> str:
    most_seen = tuning.SEARCH.max_seen + 1
    return _PAGE.format(status=Status.ACTIVE.value, limit=limit + 1, most_seen=most_seen)
