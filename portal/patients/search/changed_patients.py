"""Patients who changed since the first page of a list was read: they keep their place in it.

Without this, a patient who is renamed while a client goes through the pages could come twice, or
not at all. The event log knows how the record was when the first page was read.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import GeneratedField, QuerySet

from portal.patients.models import Patient, PatientEvent
from portal.patients.models.log import DELETED
from portal.patients.search import tuning

# A query that names it `patients_patient` reads the records as they were.
_PAST_PATIENTS = """
    SELECT DISTINCT ON (pgh_obj_id) *, {computed}
    FROM patients_patientevent
    WHERE pgh_obj_id = ANY(%s) AND pgh_created_at <= %s AND pgh_label <> %s
    ORDER BY pgh_obj_id, version DESC
"""


def changed_since(moment: datetime) -> list[UUID]:
    """Returns the patients who changed since then.

    Returns none where there are very many changes, as after an import: then patients come at the
    place that they have now.
    """
    most = tuning.SEARCH.max_changes
    events = PatientEvent.objects.filter(pgh_created_at__gt=moment).order_by()
    changed = list(events.values_list("pgh_obj_id", flat=True)[: most + 1])
    return [] if len(changed) > most else list(set(changed))


def read_past(
    patients: QuerySet[Patient, Any], patient_ids: Collection[UUID], *, at: datetime
) -> list[Any]:
    """Returns the rows of this query, as it would have read these patients at that moment."""
    try:
        sql, params = patients.filter(pk__in=patient_ids).query.sql_with_params()
    except EmptyResultSet:
        return []
    computed, values = _computed_columns()
    past = _PAST_PATIENTS.format(computed=computed)
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH patients_patient AS ({past}) {sql}",
            [*values, list(patient_ids), at, DELETED, *params],
        )
        return cursor.fetchall()


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
