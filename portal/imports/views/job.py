"""One import in the browser: its progress, its report, and what can be done with it."""

from collections.abc import Iterable
from itertools import islice
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from portal.accounts.polling import polled
from portal.accounts.rules import allow, user_of
from portal.downloads import send_file
from portal.imports.forms.review import ApplyForm
from portal.imports.matching.decision import RESOURCE
from portal.imports.models import ImportJob, JobStatus
from portal.imports.readers.rows import count_words
from portal.imports.readers.targets import LABELS
from portal.imports.review import count_questions, count_undecided, first_possible_duplicates
from portal.imports.selectors import (
    count_remarks,
    earlier_import,
    get_job,
    job_progress,
    patients_in_remarks,
    patients_left_alone,
    rejects_csv,
    rejects_of,
    remarks_csv,
    remarks_of,
)
from portal.imports.services import apply_dry_run, start_undo
from portal.imports.wizard import IMPORT, TRIAL, wizard_steps
from portal.patients.audit import record_access
from portal.patients.models import Source

PROBLEMS_SHOWN = 20
POSSIBLE_DUPLICATES_SHOWN = 10
REMARKS_SHOWN = 20
FIELD_LABELS = LABELS | {"identifiers": "Identifiers", RESOURCE: ""}


@polled
@allow("imports.view_importjob")
@require_safe
def show(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """Shows the progress of a job, then its report; a poll gets that part of the page alone."""
    job = get_job(user_of(request), job_id)
    if job.status == JobStatus.MAPPING and user_of(request).has_perm("imports.add_importjob"):
        return redirect("imports:columns", job_id)
    is_poll = request.htmx  # type: ignore[attr-defined]  # set by a middleware
    return render(
        request, f"imports/show.html{'#report' if is_poll else ''}", _report(request, job)
    )


@allow("imports.view_importjob")
@require_safe
def rejects(request: HttpRequest, job_id: UUID) -> HttpResponseBase:
    """Downloads the refused rows with the reasons, as a CSV file to mend and to import again."""
    job = get_job(user_of(request), job_id)
    return send_file(f"rejects-{job.created_at:%Y%m%d-%H%M}.csv", lambda: rejects_csv(job))


@allow("imports.view_importjob")
@require_safe
def changes(request: HttpRequest, job_id: UUID) -> HttpResponseBase:
    """Downloads what the rows overwrote, and what was not taken over; the access is recorded."""
    job = get_job(user_of(request), job_id)

    def lines() -> Iterable[str]:
        record_access(
            user_of(request), patients_in_remarks(job), action="export", channel=Source.PORTAL
        )
        return remarks_csv(job)

    return send_file(f"changes-{job.created_at:%Y%m%d-%H%M}.csv", lines)


@allow("imports.add_importjob")
@require_POST
def apply(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """Applies a dry run, once the user has decided about people who may be registered already."""
    job = get_job(user_of(request), job_id)
    form = ApplyForm(request.POST, count=0 if job.applied_job else count_undecided(job))
    if not form.is_valid():
        return render(
            request, "imports/show.html", _report(request, job) | {"form": form}, status=422
        )
    duplicate_policy = form.cleaned_data.get("likely", "")
    job = apply_dry_run(job_id, by=user_of(request), duplicate_policy=duplicate_policy)
    return redirect("imports:show", job.pk)


@allow("imports.add_importjob")
@require_POST
def undo(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """Makes the worker undo the import; the page follows."""
    start_undo(get_job(user_of(request), job_id).pk, by=user_of(request))
    return redirect("imports:show", job_id)


def _report(request: HttpRequest, job: ImportJob) -> dict[str, Any]:
    is_done_dry_run = job.dry_run and job.status == JobStatus.DONE
    columns = zip(job.header, job.mapping, strict=False)
    possible_duplicates = []
    if is_done_dry_run:
        possible_duplicates = first_possible_duplicates(job, limit=POSSIBLE_DUPLICATES_SHOWN)
    left = islice(patients_left_alone(job), PROBLEMS_SHOWN) if job.undo_left_count else []
    return {
        "job": job,
        "progress": job_progress(job),
        "counts": _counts(job),
        "left_out_words": count_words(job.parts_left_out),
        "problems": rejects_of(job)[:PROBLEMS_SHOWN],
        **_remarks(request, job),
        "undo_counts": _undo_counts(job),
        "left_alone": list(left),
        "questions": count_questions(job) if is_done_dry_run else [],
        "possible_duplicates": possible_duplicates,
        "form": ApplyForm(count=count_undecided(job) if is_done_dry_run else 0),
        "steps": wizard_steps(job, TRIAL if job.dry_run else IMPORT),
        "applied_job": job.applied_job if job.dry_run else None,
        "earlier": earlier_import(job) if job.dry_run else None,
        "fields": [(name, LABELS[field]) for name, field in columns if field],
    }


def _remarks(request: HttpRequest, job: ImportJob) -> dict[str, Any]:
    """Returns the first remarks of an ended job; the access to their patients is recorded."""
    if not job.is_ended:
        return {}
    shown = list(remarks_of(job)[:REMARKS_SHOWN])
    ids = {remark.patient_id for remark in shown if remark.patient_id}
    record_access(user_of(request), sorted(ids), action="review", channel=Source.PORTAL)
    for remark in shown:
        remark.field = FIELD_LABELS.get(remark.field, remark.field)
    counts = [(kind.label, count) for kind, count in count_remarks(job).items() if count]
    return {"remarks": shown, "remark_counts": counts}


def _counts(job: ImportJob) -> list[tuple[str, int]]:
    counts = [
        ("Would be new" if job.dry_run else "New", job.new_count),
        ("Would change" if job.dry_run else "Updated", job.updated_count),
        ("Unchanged", job.unchanged_count),
        ("Twice in the file", job.duplicate_count),
        ("Refused", job.rejected_count),
    ]
    if job.alike_count:
        counts.insert(1, ("New, may be registered already", job.alike_count))
    return counts


def _undo_counts(job: ImportJob) -> list[tuple[str, int]]:
    """Returns what the undo has done so far; nothing for a job that nobody undoes."""
    if not job.undone_count and job.status not in (JobStatus.UNDOING, JobStatus.UNDONE):
        return []
    return [
        ("Archived", job.undo_archived_count),
        ("Put back", job.undo_restored_count),
        ("Left alone", job.undo_left_count),
    ]
