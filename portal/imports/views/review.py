"""The rows of a dry run in doubt, each beside the patients whom it might be about."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from portal.accounts.rules import allow, user_of
from portal.errors import NotFound
from portal.imports.forms.review import RestForm, ReviewForm
from portal.imports.models import Doubt, ImportJob, JobStatus
from portal.imports.readers.targets import LABELS
from portal.imports.review import (
    ReviewRow,
    compare_fields,
    count_questions,
    review_rows,
    save_choice_for_rest,
    save_choices,
)
from portal.imports.selectors import get_job
from portal.imports.wizard import REVIEW, wizard_steps

PAGE = 10  # Rows on a page.
MAX_ROW_DIGITS = 11  # Of the row in an address; more fits into no column of the database.
FIELD_LABELS = LABELS | {"identifiers": "Identifiers"}


@allow("imports.add_importjob")
@require_http_methods(["GET", "HEAD", "POST"])
def review(request: HttpRequest, job_id: UUID, doubt: str = "") -> HttpResponse:
    """Shows the next rows of one doubt; a valid form saves the choices and goes on."""
    job = get_job(user_of(request), job_id)
    kinds = count_questions(job)
    if not kinds or job.status != JobStatus.DONE or job.applied_job:
        return redirect("imports:show", job_id)
    if not doubt:
        return redirect("imports:review", job_id, kinds[0][0])
    _refuse_unknown(doubt)
    after = _row_number(request.GET.get("after", ""))
    rows, has_more = review_rows(user_of(request), job, doubt=doubt, after=after, limit=PAGE)
    form = ReviewForm(request.POST if request.method == "POST" else None, rows=rows)
    next_after = rows[-1].question.row_number if has_more else None
    if request.method == "POST" and form.is_valid():
        save_choices(job_id, form.decided_questions(), by=user_of(request))
        messages.success(request, "The choices are kept. Nothing is written yet.")
        return redirect(_next_url(job, doubt, next_after))
    context = {
        "form": form,
        "cards": [_card(row, form) for row in rows],
        "rest": RestForm(doubt=doubt),
        "after": after,
        "next_after": next_after,
    }
    return _render(request, job, doubt, context, status=422 if form.is_bound else 200)


@allow("imports.add_importjob")
@require_POST
def rest(request: HttpRequest, job_id: UUID, doubt: str) -> HttpResponse:
    """Saves one choice for all rows of the doubt that have none yet."""
    job = get_job(user_of(request), job_id)
    _refuse_unknown(doubt)
    form = RestForm(request.POST, doubt=doubt)
    if not form.is_valid():
        return _render(request, job, doubt, {"form": form, "rest": form, "cards": []}, status=422)
    choice, reason = form.cleaned_data["choice"], form.cleaned_data.get("reason", "")
    count = save_choice_for_rest(job_id, doubt, choice=choice, reason=reason, by=user_of(request))
    messages.success(request, f"Kept for {count:,} rows. Nothing is written yet.")
    return redirect("imports:review", job_id, doubt)


def _refuse_unknown(doubt: str) -> None:
    if doubt not in Doubt.values:
        raise NotFound("There is no such kind of rows.")


def _row_number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) <= MAX_ROW_DIGITS else 0


def _next_url(job: ImportJob, doubt: str, next_after: int | None) -> str:
    """Returns the address of the next rows: of this doubt, else of one with rows to decide."""
    if next_after is not None:
        return f"{reverse('imports:review', args=[job.pk, doubt])}?after={next_after}"
    for kind, total, decided in count_questions(job):
        if total > decided and kind != doubt:
            return reverse("imports:review", args=[job.pk, kind])
    return reverse("imports:show", args=[job.pk])


def _card(row: ReviewRow, form: ReviewForm) -> dict[str, Any]:
    """Returns what the page shows of one row."""
    order = list(FIELD_LABELS)
    fields = sorted(compare_fields(row), key=lambda field: order.index(field["name"]))
    for field in fields:
        field["label"] = FIELD_LABELS[field["name"]]
    return {
        "question": row.question,
        "patients": row.patients,
        "fields": fields,
        "choice": form[f"q{row.question.pk}"],
        "reason": form[f"r{row.question.pk}"],
    }


def _render(
    request: HttpRequest, job: ImportJob, doubt: str, context: dict[str, Any], *, status: int
) -> HttpResponse:
    frame = {
        "job": job,
        "doubt": Doubt(doubt),
        "kinds": count_questions(job),
        "steps": wizard_steps(job, REVIEW),
    }
    return render(request, "imports/review.html", {**frame, **context}, status=status)
