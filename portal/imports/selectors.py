"""What may be read of imports, and by whom."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from portal.accounts.models import User
from portal.csv_safe import csv_line
from portal.errors import NotAllowed, NotFound
from portal.imports.models import (
    LEFT_ALONE,
    ImportedRow,
    ImportJob,
    ImportReject,
    JobStatus,
    UndoResult,
)


@dataclass(frozen=True)
class Progress:
    """How far a job is: rows read, or patients undone. `seconds_left` is None as long as nobody can tell."""

    status: str
    rows_read: int
    percent: int
    rows_per_second: float
    seconds_left: int | None
    is_ended: bool


def jobs_visible_to(user: User | None) -> QuerySet[ImportJob]:
    """Imports that this user may see, newest first; None stands for the clinic's own commands."""
    if user is not None and not user.has_perm("imports.view_importjob"):
        raise NotAllowed("Ask an operator for the right to see imports.")
    return ImportJob.objects.select_related("by")


def get_job(user: User | None, job_id: UUID) -> ImportJob:
    """One import; NotFound if there is none that the user may see."""
    job = jobs_visible_to(user).filter(pk=job_id).first()
    if job is None:
        raise NotFound("There is no import at this address.")
    return job


def earlier_import(job: ImportJob) -> ImportJob | None:
    """The last import of the same file that came to its end and stands."""
    same = ImportJob.objects.filter(
        sha256=job.sha256, size_bytes=job.size_bytes, dry_run=False, status=JobStatus.DONE
    )
    return same.exclude(pk=job.pk).select_related("by").order_by("-created_at").first()


def jobs_without_worker() -> list[UUID]:
    """The jobs that nobody works on, oldest first."""
    return list(ImportJob.objects.free().order_by("created_at").values_list("pk", flat=True))


def job_progress(job: ImportJob) -> Progress:
    """Rows a second since the job was last taken up, and the time left at that pace; of undoing only how far it is."""
    if job.status == JobStatus.UNDOING:
        patients = max(job.new_count + job.updated_count, 1)
        return Progress(
            job.status,
            job.undone_count,
            100 * job.undone_count // patients,
            0.0,
            None,
            is_ended=False,
        )
    since = (
        ((job.finished_at or timezone.now()) - job.started_at).total_seconds()
        if job.started_at
        else 0.0
    )
    pace = (job.rows_read - job.rows_before) / since if since > 0 else 0.0
    share = job.bytes_done / job.size_bytes if job.size_bytes else 0.0
    left = None
    if job.status == JobStatus.RUNNING and pace and share:
        left = round(job.rows_read * (1 - share) / share / pace)
    return Progress(job.status, job.rows_read, int(share * 100), round(pace, 1), left, job.is_ended)


def rejects_of(job: ImportJob) -> QuerySet[ImportReject]:
    """The refused rows in the file's order."""
    return ImportReject.objects.filter(job=job).order_by("row_number")


def first_problems(job: ImportJob, *, limit: int) -> list[dict[str, Any]]:
    """The first things that were wrong, as {row, column, value, reason}."""
    found = [
        {"row": reject.row_number, **problem}
        for reject in rejects_of(job)[:limit]
        for problem in reject.problems
    ]
    return found[:limit]


def patients_left_alone(job: ImportJob) -> Iterator[tuple[UUID, str]]:
    """The patients whom undoing the import did not touch, and why."""
    rows = ImportedRow.objects.filter(job=job, undo__in=LEFT_ALONE).order_by("row_number")
    for patient_id, undo in rows.values_list("patient_id", "undo").iterator():
        yield patient_id, UndoResult(undo).label


def rejects_csv(job: ImportJob) -> Iterator[str]:
    """The refused rows as a CSV file, line by line: the file's own columns, and the reason behind them."""
    yield csv_line([*job.header, "reason"])
    for reject in rejects_of(job).iterator():
        yield csv_line(reject_cells(job.header, reject.row_number, reject.raw, reject.problems))


def reject_cells(
    header: list[str], number: int, raw: list[str], problems: list[dict[str, str]]
) -> list[str]:
    """One line of the rejects file. Cells of a row with too many come behind the reason, so that none is lost."""
    padded = raw + [""] * (len(header) - len(raw))
    reason = " ".join(_said(one) for one in problems)
    return [*padded[: len(header)], f"Row {number}: {reason}", *padded[len(header) :]]


def _said(problem: dict[str, str]) -> str:
    where = (
        f'{problem["column"]} "{problem["value"]}": '
        if problem["value"]
        else f"{problem['column']}: "
    )
    return (where if problem["column"] else "") + problem["reason"].rstrip(".") + "."
