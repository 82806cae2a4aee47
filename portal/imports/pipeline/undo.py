"""Takes an import back, patient by patient, as far as nobody changed them since; the log tells what was before."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

import pghistory
from django.db.models import Exists, F, OuterRef, QuerySet

from portal.imports.models import ImportedRow, ImportJob, Outcome, UndoResult
from portal.imports.pipeline.job_store import JobProgressStore, retry_after_deadlock
from portal.patients.fields import RECORDED
from portal.patients.models import Patient, PatientEvent, PatientIdentifier, Source, Status
from portal.patients.models.log import DELETED
from portal.patients.services import change_patients

BATCH = 100  # So many patients are locked against the desk at once.
UndoListener = Callable[[int], None]
_KEPT = {
    "mrn",
    "source",
    "phone_e164",
}  # No import changes the first two; the third follows the phone.
_BEFORE = [name for name in RECORDED if name not in _KEPT]


@dataclass(frozen=True)
class UndoPlan:
    """What a job did to one patient. `version_before` is 0 for a patient whom it made.

    `since` tells why it cannot be taken back, None if it can.
    """

    version_before: int
    since: UndoResult | None


@dataclass(frozen=True)
class Change:
    """One row of the log. `job` is the import that made it, `undone` the import whose undoing it is."""

    version: int
    job: str = ""
    undone: str = ""


def undo(job: ImportJob, book: JobProgressStore, tell: UndoListener | None = None) -> None:
    """Archive whom the job made, and put back whom it changed: batches, each a transaction with its progress.

    `tell` hears how many patients each batch dealt with, once it is safe.
    """
    after = 0
    while rows := retry_after_deadlock(partial(_batch, job, book, after)):
        after = rows[-1].row_number
        if tell:
            tell(len(rows))


def _batch(job: ImportJob, book: JobProgressStore, after: int) -> list[ImportedRow]:
    with book.batch():
        rows = list(_waiting(job).filter(row_number__gt=after).order_by("row_number")[:BATCH])
        if rows:
            _undo(job, rows)
            book.move(**_counts(rows))
    return rows


def _waiting(job: ImportJob) -> QuerySet[ImportedRow]:
    """The first row about each patient whom the job made or changed, and whom undoing has not dealt with."""
    wrote = ImportedRow.objects.filter(job=job, outcome__in=[Outcome.NEW, Outcome.UPDATED])
    earlier = wrote.filter(patient_id=OuterRef("patient_id"), row_number__lt=OuterRef("row_number"))
    return wrote.filter(~Exists(earlier), undo="")


def _undo(job: ImportJob, rows: Sequence[ImportedRow]) -> None:
    ids = {row.patient_id for row in rows}
    there = set(
        Patient.objects.select_for_update()
        .filter(pk__in=ids)
        .order_by("pk")
        .values_list("pk", flat=True)
    )
    traces = plans_for(job, there)
    for row in rows:
        row.undo = _answer(traces.get(row.patient_id))
    _archive(job, [row.patient_id for row in rows if row.undo == UndoResult.ARCHIVED])
    _put_back(
        job,
        {row.patient_id: traces[row.patient_id] for row in rows if row.undo == UndoResult.RESTORED},
    )
    ImportedRow.objects.bulk_update(rows, ["undo"])


def _answer(trace: UndoPlan | None) -> UndoResult:
    if trace is None:
        return UndoResult.GONE
    if trace.since is not None:
        return trace.since
    return UndoResult.ARCHIVED if trace.version_before == 0 else UndoResult.RESTORED


def _archive(job: ImportJob, patient_ids: Iterable[UUID]) -> None:
    _change(job, [(one, {"status": Status.ARCHIVED}) for one in patient_ids])


def _put_back(job: ImportJob, traces: dict[UUID, UndoPlan]) -> None:
    versions = {trace.version_before for trace in traces.values()}
    events = PatientEvent.objects.filter(pgh_obj__in=traces, version__in=versions).exclude(
        pgh_label=DELETED
    )
    before = {
        event["pgh_obj_id"]: {name: event[name] for name in _BEFORE}
        for event in events.values("pgh_obj_id", "version", *_BEFORE)
        if event["version"] == traces[event["pgh_obj_id"]].version_before
    }
    for patient_id, identifiers in _identifiers_before(job, traces).items():
        before[patient_id]["identifiers"] = identifiers
    _change(job, list(before.items()))


def _identifiers_before(
    job: ImportJob, patient_ids: Iterable[UUID]
) -> dict[UUID, list[dict[str, str]]]:
    """The lists without what the job added, for the patients to whom it added any."""
    rows = ImportedRow.objects.filter(job=job, patient_id__in=list(patient_ids)).exclude(
        identifiers_added=[]
    )
    added: dict[UUID, set[tuple[str, str]]] = {}
    for patient_id, pairs in rows.values_list("patient_id", "identifiers_added"):
        added.setdefault(patient_id, set()).update((system, value) for system, value in pairs)
    kept: dict[UUID, list[dict[str, str]]] = {patient_id: [] for patient_id in added}
    held = PatientIdentifier.objects.filter(patient__in=added).order_by("pk")
    for patient_id, system, value in held.values_list("patient_id", "system", "value"):
        if (system, value) not in added[patient_id]:
            kept[patient_id].append({"system": system, "value": value})
    return kept


def _change(job: ImportJob, changes: list[tuple[UUID, dict[str, Any]]]) -> None:
    """The log says of each change whose undoing it is; `traces` and later imports read it there."""
    if changes:
        with pghistory.context(import_undo=str(job.pk)):
            change_patients(changes, by=job.undo_by, source=Source.IMPORT)


def _counts(rows: Sequence[ImportedRow]) -> dict[str, Any]:
    archived, restored = (
        sum(row.undo == one for row in rows) for one in (UndoResult.ARCHIVED, UndoResult.RESTORED)
    )
    return {
        "undo_archived_count": F("undo_archived_count") + archived,
        "undo_restored_count": F("undo_restored_count") + restored,
        "undo_left_count": F("undo_left_count") + len(rows) - archived - restored,
    }


def plans_for(job: ImportJob, patient_ids: Iterable[UUID]) -> dict[UUID, UndoPlan]:
    """The job's trace in each of these patients: one query."""
    events = (
        PatientEvent.objects.filter(pgh_obj__in=patient_ids)
        .exclude(pgh_label=DELETED)
        .order_by("version")
    )
    changes: dict[UUID, list[Change]] = {}
    for patient_id, version, context in events.values_list("pgh_obj_id", "version", "pgh_context"):
        changes.setdefault(patient_id, []).append(_change_in(version, context or {}))
    return {patient_id: plan_from_log(log, str(job.pk)) for patient_id, log in changes.items()}


def plan_from_log(log: Sequence[Change], job: str) -> UndoPlan:
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
        return UndoPlan(
            0, UndoResult.LATER if top and top.job not in ("", job) else UndoResult.CHANGED
        )
    return UndoPlan(last[0].version - 1, None)


def _take_away(standing: list[Change], job: str) -> None:
    while standing and standing[-1].job == job:
        standing.pop()


def _change_in(version: int, context: dict[str, Any]) -> Change:
    return Change(version, context.get("import_job", ""), context.get("import_undo", ""))
