"""What may be read of imports, and by whom."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, QuerySet
from django.utils import timezone

from portal.accounts.models import User
from portal.csv_safe import csv_header, csv_line
from portal.errors import NotAllowed, NotFound
from portal.imports.matching.decision import Remark
from portal.imports.models import (
    LEFT_ALONE,
    ImportedRow,
    ImportJob,
    ImportReject,
    ImportRemark,
    JobStatus,
    RemarkKind,
    UndoResult,
)

REMARK_HEADER = ["row", "patient", "what", "field", "old", "new", "reason"]


@dataclass(frozen=True)
class JobProgress:
    """How far a job is: rows read, or patients undone.

    `seconds_left` is None as long as it cannot be estimated.
    """

    status: str
    rows_read: int
    percent: int
    rows_per_second: float
    seconds_left: int | None
    is_ended: bool


def jobs_visible_to(user: User | None) -> QuerySet[ImportJob]:
    """Returns the imports that this user may see, newest first.

    None stands for the clinic's own commands.
    """
    if user is not None and not user.has_perm("imports.view_importjob"):
        raise NotAllowed("Ask an operator for the right to see imports.")
    return ImportJob.objects.select_related("by")


def get_job(user: User | None, job_id: UUID) -> ImportJob:
    """Returns one import; NotFound if there is none that the user may see."""
    job = jobs_visible_to(user).filter(pk=job_id).first()
    if job is None:
        raise NotFound("There is no import at this address.")
    return job


def earlier_import(job: ImportJob) -> ImportJob | None:
    """Returns the last import of the same file that is done and was not undone."""
    same = ImportJob.objects.filter(
        sha256=job.sha256, size_bytes=job.size_bytes, dry_run=False, status=JobStatus.DONE
    )
    return same.exclude(pk=job.pk).select_related("by").order_by("-created_at").first()


def jobs_without_process() -> list[UUID]:
    """Returns the jobs that no process works on, oldest first."""
    return list(ImportJob.objects.free().order_by("created_at").values_list("pk", flat=True))


def job_progress(job: ImportJob) -> JobProgress:
    """Returns how far the job is, its rows a second since the last start, and the time left.

    An undo has no pace: it tells only how far it is.
    """
    if job.status == JobStatus.UNDOING:
        return _undo_progress(job)
    seconds = 0.0
    if job.started_at:
        seconds = ((job.finished_at or timezone.now()) - job.started_at).total_seconds()
    pace = (job.rows_read - job.rows_before) / seconds if seconds > 0 else 0.0
    share = job.bytes_done / job.size_bytes if job.size_bytes else 0.0
    left = None
    if job.status == JobStatus.RUNNING and pace and share:
        left = round(job.rows_read * (1 - share) / share / pace)
    return JobProgress(
        job.status, job.rows_read, int(share * 100), round(pace, 1), left, job.is_ended
    )


def _undo_progress(job: ImportJob) -> JobProgress:
    patients = max(job.new_count + job.updated_count, 1)
    percent = 100 * job.undone_count // patients
    return JobProgress(job.status, job.undone_count, percent, 0.0, None, is_ended=False)


def rejects_of(job: ImportJob) -> QuerySet[ImportReject]:
    """Returns the refused rows in the file's order."""
    return ImportReject.objects.filter(job=job).order_by("row_number")


def first_problems(job: ImportJob, *, limit: int) -> list[dict[str, Any]]:
    """Returns the first problems of the file, as {row, column, value, reason}."""
    problems = [
        {"row": reject.row_number, **problem}
        for reject in rejects_of(job)[:limit]
        for problem in reject.problems
    ]
    return problems[:limit]


def patients_left_alone(job: ImportJob) -> Iterator[tuple[UUID, str]]:
    """Yields the patients whom undoing the import did not touch, and why."""
    rows = ImportedRow.objects.filter(job=job, undo__in=LEFT_ALONE).order_by("row_number")
    for patient_id, result in rows.values_list("patient_id", "undo").iterator():
        yield patient_id, UndoResult(result).label


def rejects_csv(job: ImportJob) -> Iterator[str]:
    """Yields the lines of a CSV file: the refused rows as they were, and the reason after them."""
    yield csv_header([*job.header, "reason"])
    for reject in rejects_of(job).iterator():
        yield csv_line(reject_cells(job.header, reject.row_number, reject.raw, reject.problems))


def remarks_of(job: ImportJob) -> QuerySet[ImportRemark]:
    """Returns what is to be said of the rows that came in, in the file's order."""
    return ImportRemark.objects.filter(job=job).order_by("row_number", "pk")


def patients_in_remarks(job: ImportJob) -> list[UUID]:
    """Returns the patients on record whose values the remarks name."""
    ids = remarks_of(job).order_by().values_list("patient_id", flat=True).distinct()
    return [patient_id for patient_id in ids if patient_id]


def count_remarks(job: ImportJob) -> dict[RemarkKind, int]:
    """Returns how many remarks of each kind the job has, 0 where there is none."""
    counted = remarks_of(job).order_by().values_list("kind").annotate(Count("pk"))
    counts = dict(counted)
    return {kind: counts.get(kind, 0) for kind in RemarkKind}


def remarks_csv(job: ImportJob) -> Iterator[str]:
    """Yields the lines of a CSV file: what the rows overwrote, and what was not taken over."""
    yield csv_header(REMARK_HEADER)
    for remark in remarks_of(job).iterator():
        yield csv_line(remark_cells(remark.row_number, remark))


def remark_cells(row_number: int, remark: Remark | ImportRemark) -> list[str]:
    """Returns one line of that file; a field has its name among the columns of an export."""
    label = RemarkKind(remark.kind).label
    values = [remark.field, remark.old, remark.new, remark.reason]
    return [str(row_number), remark.patient_label, label, *values]


def reject_cells(
    header: list[str], number: int, raw: list[str], problems: list[dict[str, str]]
) -> list[str]:
    """Returns one line of the rejects file.

    If a row has too many cells, the last ones come after the reason, so that none is lost.
    """
    padded = raw + [""] * (len(header) - len(raw))
    reason = " ".join(_problem_text(problem) for problem in problems)
    return [*padded[: len(header)], f"Row {number}: {reason}", *padded[len(header) :]]


def _problem_text(problem: dict[str, str]) -> str:
    column, value = problem["column"], problem["value"]
    reason = problem["reason"].rstrip(".") + "."
    if not column:
        return reason
    return f'{column} "{value}": {reason}' if value else f"{column}: {reason}"
