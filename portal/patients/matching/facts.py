"""What is compared of patients who are stored, read set by set."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from portal.patients.matching.duplicates import Facts, facts_of
from portal.patients.models import Patient

COLUMNS = ("family_name", "given_name", "date_of_birth", "date_of_birth_precision", "phone", "phone_e164")


def facts_by_id(patient_ids: Iterable[UUID]) -> dict[UUID, Facts]:
    """The facts of those who are there, without identifiers: those belong to one patient only, so two never agree."""
    rows = Patient.objects.filter(pk__in=list(patient_ids)).order_by().values("pk", *COLUMNS)
    return {row["pk"]: facts_of(row) for row in rows}


def known_details(patient: Patient) -> dict[str, Any]:
    """What is compared of one stored patient, identifiers too, named as cleaned details are."""
    details: dict[str, Any] = {name: getattr(patient, name) for name in COLUMNS}
    return {**details, "identifiers": [{"system": one.system, "value": one.value} for one in patient.identifiers.all()]}
