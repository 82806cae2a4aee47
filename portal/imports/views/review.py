"""The rows of a trial that need a person: each beside the patients whom it might be about, with a choice."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from portal.accounts.rules import allow, user_of
from portal.errors import NotFound
from portal.imports.forms import RestForm, ReviewForm
from portal.imports.models import Doubt, ImportJob, JobStatus
from portal.imports.readers.targets import LABELS
from portal.imports.review import (
    ReviewRow,
    choose,
    compare_fields,
    count_questions,
    review_rows,
    save_choice_for_rest,
)
from portal.imports.selectors import get_job
from portal.imports.wizard import REVIEW, wizard_steps

PAGE = 10


@allow("imports.add_importjob")
@require_http_methods(["GET", "HEAD", "POST"])
def review(request: HttpRequest, job_id: UUID, doubt: str = "") -> HttpResponse:
    """Some rows of one kind; a sent form keeps the choices and goes on to the next ones."""
    job = get_job(user_of(request), job_id)
    kinds = count_questions(job)
    if not kinds or job.status != JobStatus.DONE or job.run:
        return redirect("imports:show", job_id)
    if not doubt:
        return redirect("imports:review", job_id, kinds[0][0])
    after = int(row) if (row := request.GET.get("after", "")).isdecimal() and len(row) < 12 else 0
    asked, has_more = _questions(request, job, doubt, after)
    form = ReviewForm(request.POST if request.method == "POST" else None, asked=asked)
    if request.method == "POST" and form.is_valid():
        choose(job_id, form.chosen(), by=user_of(request))
        messages.success(request, "The choices are kept. Nothing is written yet.")
        return redirect(_next(job, doubt, asked, has_more=has_more))
    context = {
        "form": form,
        "cards": [_card(one, form) for one in asked],
        "rest": RestForm(doubt=doubt),
        "after": after,
        "next_after": asked[-1].question.row_number if has_more else None,
    }
    return _page(request, job, doubt, context, status=422 if form.is_bound else 200)


@allow("imports.add_importjob")
@require_POST
def rest(request: HttpRequest, job_id: UUID, doubt: str) -> HttpResponse:
    """The same for all rows of the kind that have no choice yet."""
    job = get_job(user_of(request), job_id)
    if doubt not in Doubt.values:
        raise NotFound("There is no such kind of rows.")
    form = RestForm(request.POST, doubt=doubt)
    if not form.is_valid():
        return _page(request, job, doubt, {"form": form, "rest": form, "cards": []}, status=422)
    asked = form.cleaned_data
    reason = asked.get("reason", "")
    count = save_choice_for_rest(
        job_id, doubt, choice=asked["choice"], reason=reason, by=user_of(request)
    )
    messages.success(request, f"Kept for {count:,} rows. Nothing is written yet.")
    return redirect("imports:review", job_id, doubt)


def _questions(
    request: HttpRequest, job: ImportJob, doubt: str, after: int
) -> tuple[list[ReviewRow], bool]:
    if doubt not in Doubt.values:
        raise NotFound("There is no such kind of rows.")
    return review_rows(user_of(request), job, doubt=doubt, after=after, limit=PAGE)


def _next(job: ImportJob, doubt: str, asked: list[ReviewRow], *, has_more: bool) -> str:
    here = reverse("imports:review", args=[job.pk, doubt])
    if has_more:
        return f"{here}?after={asked[-1].question.row_number}"
    others = [
        kind for kind, total, chosen in count_questions(job) if total > chosen and kind != doubt
    ]
    return (
        reverse("imports:review", args=[job.pk, others[0]])
        if others
        else reverse("imports:show", args=[job.pk])
    )


def _card(asked: ReviewRow, form: ReviewForm) -> dict[str, Any]:
    key = asked.question.pk
    order = [*LABELS, "identifiers"]
    rows = sorted(compare_fields(asked), key=lambda row: order.index(row["name"]))
    rows = [
        {**row, "label": LABELS[row["name"]] if row["name"] != "identifiers" else "Identifiers"}
        for row in rows
    ]
    return {"asked": asked, "rows": rows, "choice": form[f"q{key}"], "reason": form[f"r{key}"]}


def _page(
    request: HttpRequest, job: ImportJob, doubt: str, context: dict[str, Any], *, status: int
) -> HttpResponse:
    more = {
        "job": job,
        "doubt": Doubt(doubt),
        "kinds": count_questions(job),
        "steps": wizard_steps(job, REVIEW),
    }
    return render(request, "imports/review.html", {**more, **context}, status=status)
