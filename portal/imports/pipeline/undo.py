"""Takes an import back, patient by patient, unless a patient was changed since.

The log tells what a patient was before.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any
from uuid import UUID

import pghistory
from django.db.models import Exists, F, OuterRef, QuerySet

from portal.imports.models import ImportedRow, ImportJob, Outcome, UndoResult
from portal.imports.pipeline.job_store import JobProgressStore, retry_after_deadlock
from portal.patients.entered_identifiers import VALIDITY
from portal.patients.fields import RECORDED
from portal.patients.matching.rules import IdentifierKey
from portal.patients.models import Patient, PatientEvent, PatientIdentifier, Source, Status
from portal.patients.models.log import DELETED
from portal.patients.services import change_patients

BATCH = 100  # Patients in one transaction; as many are locked against changes by staff.
UndoListener = Callable[[int], None]
# No import changes the first two, and the third follows the phone.
_NOT_RESTORED = {"mrn", "source", "phone_e164"}
_RESTORED = [name for name in RECORDED if name not in _NOT_RESTORED]


@dataclass(frozen=True)
class UndoPlan:
    """What undoing a job may do to one patient.

    `version_before` is 0 for a patient whom the job made. `obstacle` is why the patient is left
    alone, None if it is not.
    """

    version_before: int
    obstacle: UndoResult | None

    @property
    def result(self) -> UndoResult:
        if self.obstacle is not None:
            return self.obstacle
        return UndoResult.ARCHIVED if self.version_before == 0 else UndoResult.RESTORED


@dataclass(frozen=True)
class LoggedChange:
    """One change in the log. `job` is the import that made it, or `undone` the one it undoes."""

    version: int
    job: str = ""
    undone: str = ""


def undo(job: ImportJob, progress: JobProgressStore, on_batch: UndoListener | None = None) -> None:
    """Archives the patients whom the job made, and restores those whom it changed.

    Each batch is a transaction with its progress. `on_batch` gets the number of its patients once
    it is committed.
    """
    after = 0
    while rows := retry_after_deadlock(partial(_undo_batch, job, progress, after)):
        after = rows[-1].row_number
        if on_batch:
            on_batch(len(rows))


def _undo_batch(job: ImportJob, progress: JobProgressStore, after: int) -> list[ImportedRow]:
    with progress.batch():
        rows = list(_rows_to_undo(job).filter(row_number__gt=after).order_by("row_number")[:BATCH])
        if rows:
            _undo_rows(job, rows)
            progress.advance(**_new_counts(rows))
    return rows


def _rows_to_undo(job: ImportJob) -> QuerySet[ImportedRow]:
    """Returns the job's first row about each patient that it wrote and undo has not reached."""
    wrote = ImportedRow.objects.filter(job=job, outcome__in=[Outcome.NEW, Outcome.UPDATED])
    earlier = wrote.filter(patient_id=OuterRef("patient_id"), row_number__lt=OuterRef("row_number"))
    return wrote.filter(~Exists(earlier), undo="")


def _undo_rows(job: ImportJob, rows: Sequence[ImportedRow]) -> None:
    ids = {row.patient_id for row in rows}
    locked = Patient.objects.select_for_update().filter(pk__in=ids).order_by("pk")
    plans = undo_plans(job, set(locked.values_list("pk", flat=True)))
    for row in rows:
        plan = plans.get(row.patient_id)
        row.undo = plan.result if plan else UndoResult.GONE
    archived = [row.patient_id for row in rows if row.undo == UndoResult.ARCHIVED]
    restored = [row.patient_id for row in rows if row.undo == UndoResult.RESTORED]
    _change(job, [(patient_id, {"status": Status.ARCHIVED}) for patient_id in archived])
    _restore(job, {patient_id: plans[patient_id].version_before for patient_id in restored})
    ImportedRow.objects.bulk_update(rows, ["undo"])


def _restore(job: ImportJob, versions: dict[UUID, int]) -> None:
    """Gives each patient the values that it had in this version."""
    events = PatientEvent.objects.filter(pgh_obj__in=versions, version__in=set(versions.values()))
    events = events.exclude(pgh_label=DELETED)
    before: dict[UUID, dict[str, Any]] = {}
    for event in events.values("pgh_obj_id", "version", *_RESTORED):
        patient_id = event["pgh_obj_id"]
        if event["version"] == versions[patient_id]:
            before[patient_id] = {name: event[name] for name in _RESTORED}
    for patient_id, identifiers in _identifiers_before(job, versions).items():
        before[patient_id]["identifiers"] = identifiers
    _change(job, list(before.items()))


def _identifiers_before(
    job: ImportJob, patient_ids: Iterable[UUID]
) -> dict[UUID, list[dict[str, Any]]]:
    """Returns the identifiers as they were, of patients that got any by the job, or other days."""
    rows = ImportedRow.objects.filter(job=job, patient_id__in=list(patient_ids))
    rows = rows.exclude(identifiers_added=[])
    # The first row about an identifier has what was before the job: no days if it was not there.
    before: dict[UUID, dict[IdentifierKey, list[str | None]]] = {}
    changed = rows.order_by("row_number").values_list("patient_id", "identifiers_added")
    for patient_id, identifiers in changed:
        for system, value, *days in identifiers:
            before.setdefault(patient_id, {}).setdefault((system, value), days)
    kept: dict[UUID, list[dict[str, Any]]] = {patient_id: [] for patient_id in before}
    held = PatientIdentifier.objects.filter(patient__in=before).order_by("pk")
    for patient_id, system, value in held.values_list("patient_id", "system", "value"):
        days = before[patient_id].get((system, value))
        if days != []:
            identifier = {"system": system, "value": value}
            kept[patient_id].append(identifier | _validity(days or []))
    return kept


def _validity(days: Sequence[str | None]) -> dict[str, date | None]:
    dates = [date.fromisoformat(day) if day else None for day in days]
    return dict(zip(VALIDITY, dates, strict=bool(dates)))


def _change(job: ImportJob, changes: list[tuple[UUID, dict[str, Any]]]) -> None:
    """Changes the patients, and names the undone job in the log, where `undo_plans` reads it."""
    if changes:
        with pghistory.context(import_undo=str(job.pk)):
            change_patients(changes, by=job.undo_by, source=Source.IMPORT)


def _new_counts(rows: Sequence[ImportedRow]) -> dict[str, Any]:
    archived = sum(row.undo == UndoResult.ARCHIVED for row in rows)
    restored = sum(row.undo == UndoResult.RESTORED for row in rows)
    return {
        "undo_archived_count": F("undo_archived_count") + archived,
        "undo_restored_count": F("undo_restored_count") + restored,
        "undo_left_count": F("undo_left_count") + len(rows) - archived - restored,
    }


def undo_plans(job: ImportJob, patient_ids: Iterable[UUID]) -> dict[UUID, UndoPlan]:
    """Returns what undoing the job may do to each of these patients, by one query of the log."""
    events = PatientEvent.objects.filter(pgh_obj__in=patient_ids).exclude(pgh_label=DELETED)
    events = events.order_by("version")
    logs: dict[UUID, list[LoggedChange]] = {}
    for patient_id, version, context in events.values_list("pgh_obj_id", "version", "pgh_context"):
        context = context or {}
        change = LoggedChange(
            version, context.get("import_job", ""), context.get("import_undo", "")
        )
        logs.setdefault(patient_id, []).append(change)
    return {patient_id: plan_from_log(log, str(job.pk)) for patient_id, log in logs.items()}


def plan_from_log(log: Sequence[LoggedChange], job: str) -> UndoPlan:
    """Returns what undoing `job` may do to one patient; its log begins with the oldest change.

    An import and its undo cancel each other out. The rest may be undone if the job's changes are
    the last ones.
    """
    standing: list[LoggedChange] = []
    for change in log:
        if change.undone:
            _cancel(standing, change.undone)
        else:
            standing.append(change)
    own = [change for change in standing if change.job == job]
    if own and standing[-len(own) :] == own:
        return UndoPlan(own[0].version - 1, None)
    last_job = standing[-1].job if standing else ""
    is_other_import = last_job not in ("", job)
    return UndoPlan(0, UndoResult.LATER if is_other_import else UndoResult.CHANGED)


def _cancel(standing: list[LoggedChange], job: str) -> None:
    """Removes the changes of this job from the end."""
    while standing and standing[-1].job == job:
        standing.pop()
