"""The statement that reads patients and records who read them: nobody is read without a record."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from structlog.contextvars import get_contextvars

from portal.accounts.models import User

_READ = """
    (uuid[], bigint, text, text, text) AS
    WITH found AS MATERIALIZED (
        SELECT asked.place, {columns}
        FROM unnest($1) WITH ORDINALITY AS asked (id, place)
        JOIN patients_patient ON patients_patient.id = asked.id
    ), seen AS (
        INSERT INTO patients_accessrecord (user_id, patient_ids, action, door, request_id)
        SELECT $2, array_agg(id ORDER BY place), $3, $4, $5 FROM found HAVING count(*) > 0
    )
    SELECT {names} FROM found ORDER BY place
"""


def recorded_read(columns: Mapping[str, str]) -> str:
    """Returns what follows PREPARE and a name; `columns` gives SQL by name, the `id` among them."""
    named = ", ".join(f"{sql} AS {name}" for name, sql in columns.items())
    return _READ.format(columns=named, names=", ".join(columns))


def values_of_read(
    user: User | None, patient_ids: Sequence[UUID], *, action: str, channel: str
) -> list[Any]:
    """Returns the values of `recorded_read`; the patients come in the order of their ids."""
    request_id = get_contextvars().get("request_id", "")
    return [list(patient_ids), user.pk if user else None, action, channel, request_id]
