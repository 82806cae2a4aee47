"""Patients who changed since the first page of a list was read: they keep their place in it.

Without this, a patient who is renamed while a client goes through the pages could come twice, or
not at all. The event log knows how the record was when the first page was read.
"""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import GeneratedField

from portal.patients.models import Patient
from portal.patients.models.log import DELETED
from portal.patients.search.conditions import Condition, is_among, read_rows
from portal.patients.search.moment import Moment

# A query that names it `patients_patient` reads the records as they were.
_PAST_PATIENTS = """
    SELECT DISTINCT ON (pgh_obj_id) *, {computed}
    FROM patients_patientevent
    WHERE pgh_obj_id = ANY(%s) AND (pgh_created_at < %s OR pgh_id = ANY(%s)) AND pgh_label <> %s
    ORDER BY pgh_obj_id, version DESC
"""


def read_past(
    patients: Condition, place: Condition, patient_ids: Collection[UUID], *, at: Moment
) -> list[Any]:
    """Returns ids and places of those of these patients who met the condition at that moment."""
    found = patients & is_among(patient_ids)
    computed, values = _computed_columns()
    past = _PAST_PATIENTS.format(computed=computed)
    past_values = [*values, list(patient_ids), at.since, list(at.seen_events), DELETED]
    return read_rows(
        f"WITH patients_patient AS ({past})"  # noqa: S608 - constants
        f" SELECT id, {place.sql} AS place FROM patients_patient WHERE {found.sql}",
        [*past_values, *place.values, *found.values],
    )


def _computed_columns() -> tuple[str, list[Any]]:
    """Returns the columns that the database computes, which the log leaves out, and their values.

    The expressions are those of the model, so that a new column is there too.
    """
    columns: list[str] = []
    values: list[Any] = []
    for field in Patient._meta.fields:
        if isinstance(field, GeneratedField):
            expression, its_values = field.generated_sql(connection)
            collation = getattr(field.output_field, "db_collation", None)
            order = f' COLLATE "{collation}"' if collation else ""
            columns.append(f"{expression}{order} AS {field.column}")
            values += its_values
    return ", ".join(columns), values
