"""Patients and imports at one moment, to compare: without ids, numbers and times."""

from typing import Any

from portal.imports.models import ImportJob
from portal.patients.fields import RECORDED
from portal.patients.models import Patient, PatientEvent, PatientIdentifier

COMPARED = [name for name in RECORDED if name != "mrn"]


def patients_by_id(**filters: Any) -> dict[Any, dict[str, Any]]:
    """Returns all that people may change of every patient, and the identifiers."""
    patients = {
        patient["pk"]: patient | {"identifiers": []}
        for patient in Patient.objects.filter(**filters).values("pk", *COMPARED)
    }
    held = PatientIdentifier.objects.filter(patient__in=patients).order_by("system", "value")
    for patient_id, *identifier in held.values_list("patient", "system", "value"):
        patients[patient_id]["identifiers"].append(identifier)
    return patients


def job_snapshot(job: ImportJob) -> dict[str, Any]:
    """Returns all that a finished import leaves: the same for two runs of a file from one start."""
    job.refresh_from_db()
    counts = [name for name in vars(job) if name.endswith("_count")]
    compared = (*COMPARED, "identifiers")
    patients = patients_by_id().values()
    events = PatientEvent.objects.values("pgh_label", "version", "pgh_context", *COMPARED)
    return {
        "job": {
            name: getattr(job, name)
            for name in (*counts, "status", "message", "bytes_done", "last_row")
        },
        "people": sorted(repr({name: patient[name] for name in compared}) for patient in patients),
        "log": sorted(map(_log_line, events)),
        "rejects": list(job.rejects.values_list("row_number", "problems", "raw")),
        "rows": list(
            job.imported_rows.values_list("row_number", "outcome", "undo", "identifiers_added")
        ),
    }


def _log_line(event: dict[str, Any]) -> str:
    """Returns one line of the log without the id of its job."""
    context = {
        name: "a job" if name.startswith("import_") else value
        for name, value in event["pgh_context"].items()
    }
    return repr(event | {"pgh_context": context})
