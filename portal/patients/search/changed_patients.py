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
from django.db.models import QuerySet

from portal.patients.models import Patient, PatientEvent
from portal.patients.models.log import DELETED
from portal.patients.search import tuning

# A query that names it `patients_patient` reads the records as they were. The computed columns are
# those of the model.
_PAST_PATIENTS = """
    SELECT DISTINCT ON (pgh_obj_id) *,
        patients_name_words(given_name, middle_name, family_name, preferred_name) AS name_words,
        patients_sort_key(family_name, given_name) COLLATE "C" AS sort_key,
        patients_sort_key(given_name, family_name) COLLATE "C" AS given_key,
        patients_phone_tail(phone) COLLATE "C" AS phone_tail
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
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH patients_patient AS ({_PAST_PATIENTS}) {sql}",
            [list(patient_ids), at, DELETED, *params],
        )
        return cursor.fetchall()
