"""Imports in the browser: upload a file, watch it, read what became of its rows."""

from itertools import islice
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from portal.accounts.rules import allow, user_of
from portal.errors import PortalError
from portal.imports.forms import TRY, UploadForm
from portal.imports.models import ImportJob, JobStatus
from portal.imports.selectors import job_progress, jobs_visible_to, left_alone, open_job, rejects_csv, rejects_of
from portal.imports.services import import_for_real, start_import, start_undo

JOBS_SHOWN = 50
PROBLEMS_SHOWN = 20


@allow("imports.view_importjob")
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """The imports so far, and the form for another one."""
    return _index(request, UploadForm())


@allow("imports.add_importjob")
@require_POST
def upload(request: HttpRequest) -> HttpResponse:
    """Keep the file and go to its page; the worker does the rest, and the tab may be closed."""
    form = UploadForm(request.POST, request.FILES)
    if not form.is_valid():
        return _index(request, form, status=422)
    asked = form.cleaned_data
    try:
        job = start_import(
            asked["file"],
            by=user_of(request),
            dry_run=asked["mode"] == TRY,
            allow_duplicates=asked["allow_duplicates"],
        )
    except PortalError as error:
        form.add_error("file", error.detail)
        return _index(request, form, status=error.status)
    return redirect("imports:show", job.pk)


@allow("imports.view_importjob")
@require_safe
def show(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """Progress while it runs, the report when it has ended; a poll gets that part alone."""
    job = open_job(user_of(request), job_id)
    is_poll = request.htmx  # type: ignore[attr-defined]
    return render(request, f"imports/show.html{'#report' if is_poll else ''}", _report(job))


@allow("imports.view_importjob")
@require_safe
def rejects(request: HttpRequest, job_id: UUID) -> StreamingHttpResponse:
    """The refused rows as a CSV file with the reasons: mend them there and import that file."""
    job = open_job(user_of(request), job_id)
    name = f"rejects-{job.created_at:%Y%m%d-%H%M}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return StreamingHttpResponse(rejects_csv(job), content_type="text/csv; charset=utf-8", headers=headers)


@allow("imports.add_importjob")
@require_POST
def commit(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """Import for real what was tried."""
    open_job(user_of(request), job_id)
    return redirect("imports:show", import_for_real(job_id, by=user_of(request)).pk)


@allow("imports.add_importjob")
@require_POST
def undo(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """Take the import back; the worker does it, and the page follows."""
    start_undo(open_job(user_of(request), job_id).pk, by=user_of(request))
    return redirect("imports:show", job_id)


def _index(request: HttpRequest, form: UploadForm, *, status: int = 200) -> HttpResponse:
    jobs = jobs_visible_to(user_of(request))[:JOBS_SHOWN]
    return render(request, "imports/index.html", {"form": form, "jobs": jobs}, status=status)


def _report(job: ImportJob) -> dict[str, Any]:
    counts = [
        ("Would be new" if job.dry_run else "New", job.new_count),
        ("Would change" if job.dry_run else "Updated", job.updated_count),
        ("Unchanged", job.unchanged_count),
        ("Likely duplicates", job.duplicate_count),
        ("Refused", job.rejected_count),
    ]
    problems = rejects_of(job)[:PROBLEMS_SHOWN]
    undone = [
        ("Archived", job.undo_archived_count),
        ("Put back", job.undo_restored_count),
        ("Left alone", job.undo_left_count),
    ]
    left = list(islice(left_alone(job), PROBLEMS_SHOWN)) if job.undo_left_count else []
    return {
        "job": job,
        "progress": job_progress(job),
        "counts": counts,
        "problems": problems,
        "undone": undone if job.undone_count or job.status in (JobStatus.UNDOING, JobStatus.UNDONE) else [],
        "left": left,
    }
