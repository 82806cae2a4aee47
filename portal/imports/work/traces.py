"""Reads in the log what an import did to a patient, and whether anybody changed the patient since."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from portal.imports.models import ImportJob, Undo
from portal.patients.models import PatientEvent
from portal.patients.models.log import DELETED


@dataclass(frozen=True)
class Trace:
    """What a job did to one patient. `version_before` is 0 for a patient whom it made.

    `since` tells why it cannot be taken back, None if it can.
    """

    version_before: int
    since: Undo | None


@dataclass(frozen=True)
class Change:
    """One row of the log. `job` is the import that made it, `undone` the import whose undoing it is."""

    version: int
    job: str = ""
    undone: str = ""


def traces_of(job: ImportJob, patient_ids: Iterable[UUID]) -> dict[UUID, Trace]:
    """The job's trace in each of these patients: one query."""
    events = PatientEvent.objects.filter(pgh_obj__in=patient_ids).exclude(pgh_label=DELETED).order_by("version")
    changes: dict[UUID, list[Change]] = {}
    for patient_id, version, context in events.values_list("pgh_obj_id", "version", "pgh_context"):
        changes.setdefault(patient_id, []).append(_change(version, context or {}))
    return {patient_id: trace_in(log, str(job.pk)) for patient_id, log in changes.items()}


def trace_in(log: Sequence[Change], job: str) -> Trace:
    """The trace of `job` in the log of one patient, oldest change first.

    An import that was undone again left no trace: its changes and the undoing take each other away. What is left may
    be undone if the job's changes are the last.
    """
    standing: list[Change] = []
    for change in log:
        if change.undone:
            _take_away(standing, change.undone)
        else:
            standing.append(change)
    last = [change for change in standing if change.job == job]
    if not last or standing[-len(last) :] != last:
        top = standing[-1] if standing else None
        return Trace(0, Undo.LATER if top and top.job not in ("", job) else Undo.CHANGED)
    return Trace(last[0].version - 1, None)


def _take_away(standing: list[Change], job: str) -> None:
    while standing and standing[-1].job == job:
        standing.pop()


def _change(version: int, context: dict[str, Any]) -> Change:
    return Change(version, context.get("import_job", ""), context.get("import_undo", ""))
