"""What the patients are at one moment, to be compared with another: without ids, numbers and times."""

from typing import Any

from portal.imports.models import ImportJob
from portal.patients.fields import RECORDED
from portal.patients.models import Patient, PatientEvent, PatientIdentifier

FACTS = [name for name in RECORDED if name != "mrn"]


def people(**which: Any) -> dict[Any, dict[str, Any]]:
    """Every patient by id: all that people may change, and the identifiers."""
    found = {
        one["pk"]: one | {"identifiers": []}
        for one in Patient.objects.filter(**which).values("pk", *FACTS)
    }
    held = PatientIdentifier.objects.filter(patient__in=found).order_by("system", "value")
    for patient_id, *pair in held.values_list("patient", "system", "value"):
        found[patient_id]["identifiers"].append(pair)
    return found


def end_of(job: ImportJob) -> dict[str, Any]:
    """Everything that a finished import leaves, the same for two runs of one file from one start."""
    job.refresh_from_db()
    counts = [name for name in vars(job) if name.endswith("_count")]
    return {
        "job": {
            name: getattr(job, name)
            for name in (*counts, "status", "message", "bytes_done", "last_row")
        },
        "people": sorted(
            repr({name: one[name] for name in (*FACTS, "identifiers")}) for one in people().values()
        ),
        "log": sorted(
            map(_in_log, PatientEvent.objects.values("pgh_label", "version", "pgh_context", *FACTS))
        ),
        "rejects": list(job.rejects.values_list("row_number", "problems", "raw")),
        "rows": list(
            job.imported_rows.values_list("row_number", "outcome", "undo", "identifiers_added")
        ),
    }


def _in_log(event: dict[str, Any]) -> str:
    """One line of the log, which names a job but not which."""
    context = {
        name: "a job" if name.startswith("import_") else told
        for name, told in event["pgh_context"].items()
    }
    return repr(event | {"pgh_context": context})
