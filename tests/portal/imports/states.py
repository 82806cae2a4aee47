"""What the patients are at one moment, to be compared with another: without ids, numbers and times."""

from typing import Any

from portal.imports.models import ImportJob
from portal.patients.models import Patient, PatientEvent, PatientIdentifier
from portal.patients.triggers import RECORDED

FACTS = [name for name in RECORDED if name != "mrn"]


def people(**which: Any) -> dict[Any, dict[str, Any]]:
    """Every patient by id: all that people may change, and the identifiers."""
    found = {one["pk"]: one for one in Patient.objects.filter(**which).values("pk", *FACTS)}
    for one in found.values():
        one["identifiers"] = []
    for patient_id, *pair in PatientIdentifier.objects.order_by("system", "value").values_list(
        "patient", "system", "value"
    ):
        if patient_id in found:
            found[patient_id]["identifiers"].append(pair)
    return found


def end_of(job: ImportJob) -> dict[str, Any]:
    """Everything that a finished import leaves, the same for two runs of one file from one start."""
    job.refresh_from_db()
    counts = ("status", "new_count", "updated_count", "unchanged_count", "duplicate_count", "rejected_count")
    return {
        "job": [getattr(job, name) for name in counts],
        "people": sorted(repr(sorted(one.items(), key=repr)[:-1]) for one in _nameless(people().values())),
        "log": sorted(map(repr, PatientEvent.objects.values_list("pgh_label", "version", *FACTS))),
        "rejects": list(job.rejects.order_by("row_number").values_list("row_number", "problems", "raw")),
        "rows": list(job.imported_rows.order_by("row_number").values_list("row_number", "outcome", "undo")),
    }


def _nameless(found: Any) -> list[dict[str, Any]]:
    return [{name: value for name, value in one.items() if name != "pk"} for one in found]
