"""What each column of a file becomes: guessed, set by the user, and saved for the next file."""

from contextlib import suppress
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from portal.accounts.rules import allow, user_of
from portal.errors import PortalError
from portal.imports.forms.columns import ColumnsForm, EncodingForm
from portal.imports.models import ENDED, ImportJob, JobStatus, MappingProfile
from portal.imports.profiles import profiles_for, save_profile
from portal.imports.readers.columns import can_name_a_patient, guess_fields
from portal.imports.readers.encodings import LABELS as ENCODINGS
from portal.imports.readers.encodings import UTF_8
from portal.imports.readers.targets import DIGITS, EXPECTED
from portal.imports.selectors import earlier_import, get_job
from portal.imports.table_setup import (
    ColumnSetup,
    has_mark,
    profile_setup,
    set_columns,
    set_encoding,
    suggested_setup,
)
from portal.imports.wizard import COLUMNS, wizard_steps
from portal.pagination import row_id

GUESS = "guess"


@allow("imports.add_importjob")
@require_http_methods(["GET", "HEAD", "POST"])
def columns(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """Shows the columns with their first values; a valid form starts the dry run."""
    job = get_job(user_of(request), job_id)
    is_at_rest = job.status in [JobStatus.MAPPING, *ENDED]
    if not (job.dry_run and job.is_table and is_at_rest) or job.applied_job:
        return redirect("imports:show", job_id)
    if request.method != "POST":
        setup = _requested_setup(request.GET.get("profile", ""), job)
        return _render(request, job, _columns_form(job, setup), profile_name=setup.profile_name)
    form = ColumnsForm(request.POST, header=job.header, facts=job.column_facts)
    if form.is_valid() and _save(form, job, request):
        return redirect("imports:show", job_id)
    return _render(request, job, form, status=422)


@allow("imports.add_importjob")
@require_POST
def encoding(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """Reads the file again in another encoding, and shows the values of its columns then."""
    job = get_job(user_of(request), job_id)
    form = EncodingForm(request.POST)
    if form.is_valid():
        try:
            set_encoding(job_id, form.cleaned_data["encoding"])
            return redirect("imports:columns", job_id)
        except PortalError as error:
            form.add_error("encoding", error.detail)
    columns_form = _columns_form(job, suggested_setup(job))
    return _render(request, job, columns_form, encoding_form=form, status=422)


def _columns_form(job: ImportJob, setup: ColumnSetup) -> ColumnsForm:
    return ColumnsForm(
        header=job.header,
        mapping=setup.mapping,
        facts=job.column_facts,
        values=setup.values,
        date_order=setup.date_order,
    )


def _requested_setup(profile_id: str, job: ImportJob) -> ColumnSetup:
    """Returns the columns that the address asks for, else those that might fit."""
    if profile_id == GUESS:
        return ColumnSetup(guess_fields(job.header))
    profile = None
    with suppress(ValueError):  # None of our pages asks for it.
        profile = MappingProfile.objects.filter(pk=row_id(profile_id)).first()
    return profile_setup(profile, job.header) if profile else suggested_setup(job)


def _save(form: ColumnsForm, job: ImportJob, request: HttpRequest) -> bool:
    """Saves the columns, also as a profile if the form names one; False if it cannot."""
    try:
        if name := form.cleaned_data["profile_name"]:
            save_profile(
                name,
                header=job.header,
                mapping=form.mapping,
                values=form.values,
                date_order=form.date_order,
                by=user_of(request),
            )
    except PortalError as error:
        form.add_error("profile_name", error.detail)
        return False
    set_columns(job.pk, form.mapping, values=form.values, date_order=form.date_order)
    return True


def _render(
    request: HttpRequest,
    job: ImportJob,
    form: ColumnsForm,
    *,
    profile_name: str = "",
    encoding_form: EncodingForm | None = None,
    status: int = 200,
) -> HttpResponse:
    mapping, encoding = form.mapping, job.encoding or UTF_8
    is_marked = has_mark(job)
    context = {
        "job": job,
        "form": form,
        "encoding_form": encoding_form or EncodingForm(initial={"encoding": encoding}),
        "encoding": ENCODINGS.get(encoding, ""),
        "is_assumed": encoding != UTF_8 and not is_marked,
        "has_mark": is_marked,
        "rows": _rows(job, form),
        "value_rows": [(field.value, form[field.name]) for field in form.value_fields],
        "is_known": any(guess_fields(job.header)) or any(mapping),
        "can_name_a_patient": can_name_a_patient(mapping),
        "missing": [label for name, label in EXPECTED.items() if name not in mapping],
        "profiles": profiles_for(job.header),
        "profile_name": profile_name,
        "earlier": earlier_import(job),
        "steps": wizard_steps(job, COLUMNS),
    }
    return render(request, "imports/columns.html", context, status=status)


def _rows(job: ImportJob, form: ColumnsForm) -> list[dict[str, Any]]:
    """Returns a row of the page for each column."""
    samples = job.samples or [[] for _ in job.header]
    rows = []
    for index, (name, chosen) in enumerate(zip(job.header, form.mapping, strict=True)):
        lost_zeros = index in job.numeric_columns and chosen in DIGITS
        rows.append(
            {
                "name": name,
                "field": form[f"c{index}"],
                "samples": samples[index],
                "chosen": chosen,
                "lost_zeros": lost_zeros,
            }
        )
    return rows
