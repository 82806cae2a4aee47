"""The candidates of a new person among all active patients, by one statement that is prepared.

They are those of `lookup`, which asks one query for each index where some patients are left out.
"""

from collections.abc import Collection
from datetime import date
from typing import Any, NamedTuple

from portal.patients.matching.rules import COMPARED_COLUMNS
from portal.prepared import execute_prepared

_CANDIDATES = """
    (text, date, date[], text, text, text[], text[]) AS
    WITH born_alike AS MATERIALIZED (
        SELECT {columns} FROM patients_patient
        WHERE status = 'active' AND date_of_birth = ANY($3) LIMIT {per_birth} + 1
    )
    (SELECT {columns} FROM patients_patient
        WHERE status = 'active' AND name_key = $1 AND date_of_birth = $2)
    UNION ALL
    (SELECT {columns} FROM patients_patient
        WHERE status = 'active' AND name_key = $1 LIMIT {per_name})
    UNION ALL
    (SELECT {columns} FROM patients_patient
        WHERE status = 'active' AND date_of_birth = ANY($3)
            AND name_words @@ to_tsquery('simple', $4)
        ORDER BY NOT starts_with(given_key, $5), id LIMIT {per_birth})
    UNION ALL
    (SELECT {columns} FROM born_alike WHERE (SELECT count(*) FROM born_alike) <= {per_birth})
    UNION ALL
    (SELECT {columns} FROM patients_patient
        WHERE (SELECT count(*) FROM born_alike) > {per_birth}
            AND status = 'active' AND date_of_birth = ANY($3) AND starts_with(given_key, $5)
        LIMIT {per_name})
    UNION ALL
    SELECT {found} FROM unnest($6, $7) AS phone (tail, beyond), LATERAL (
        SELECT {columns} FROM patients_patient
        WHERE status = 'active' AND phone_tail >= tail AND phone_tail < beyond LIMIT {per_phone}
    ) AS found
    UNION ALL
    SELECT {found} FROM unnest($6, $7) AS phone (tail, beyond), LATERAL (
        SELECT {columns} FROM patients_patient
        WHERE status = 'active' AND second_phone_tail <> ''
            AND second_phone_tail >= tail AND second_phone_tail < beyond LIMIT {per_phone}
    ) AS found
"""
_COLUMNS = ("id", *COMPARED_COLUMNS)


class Limits(NamedTuple):
    """How many patients of one birth date, name or phone are compared."""

    per_birth: int
    per_name: int
    per_phone: int


class Sought(NamedTuple):
    """What candidates have in common with a person; None and empty values find nobody.

    `exact_birth` goes with the name. Of those who were born on one of `births`, many are found by
    the text of a query of `words`, or by the beginning of the given name.
    """

    name: str | None
    exact_birth: date | None
    births: Collection[date]
    words: str | None
    given: str
    phone_tails: Collection[str]


def read_candidates(sought: Sought, limits: Limits) -> list[dict[str, Any]]:
    """Returns the compared columns of the candidates; somebody may come more than once."""
    tails = [tail for tail in sought.phone_tails if tail]
    values = [
        sought.name,
        sought.exact_birth,
        [*sought.births],
        sought.words,
        sought.given,
        tails,
        [f"{tail[:-1]}{chr(ord(tail[-1]) + 1)}" for tail in tails],  # What comes after them all.
    ]
    rows = execute_prepared("candidates", lambda: _statement(limits), values, is_planned_once=True)
    return [dict(zip(_COLUMNS, row, strict=True)) for row in rows]


def _statement(limits: Limits) -> str:
    found = ", ".join(f"found.{name}" for name in _COLUMNS)
    return _CANDIDATES.format(columns=", ".join(_COLUMNS), found=found, **limits._asdict())
