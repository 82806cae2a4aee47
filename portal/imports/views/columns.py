"""What each column of a file becomes: guessed, changed by a person, and kept for the next file of this kind."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from portal.accounts.rules import allow, user_of
from portal.errors import PortalError
from portal.imports.forms import ColumnsForm, EncodingForm
from portal.imports.models import ENDED, ImportJob, JobStatus, MappingProfile
from portal.imports.profiles import mapping_for, profiles_for, save_profile
from portal.imports.readers.columns import can_name_a_patient, guess_fields
from portal.imports.readers.encodings import LABELS as ENCODINGS
from portal.imports.readers.encodings import UTF_8
from portal.imports.readers.targets import DIGITS, WANTED
from portal.imports.selectors import earlier_import, get_job
from portal.imports.table_setup import has_mark, set_columns, set_encoding, suggested_mapping
from portal.imports.wizard import COLUMNS, wizard_steps

GUESS = "guess"


@allow("imports.add_importjob")
@require_http_methods(["GET", "HEAD", "POST"])
def columns(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """Show the columns with what stands in them; a sent form begins the trial."""
    job = get_job(user_of(request), job_id)
    is_at_rest = job.status in [JobStatus.MAPPING, *ENDED]
    if not (job.dry_run and job.is_table and is_at_rest) or job.run:
        return redirect("imports:show", job_id)
    if request.method != "POST":
        mapping, name = _asked(request.GET.get("profile", ""), job)
        return _columns(
            request, job, ColumnsForm(header=job.header, mapping=mapping), profile_name=name
        )
    form = ColumnsForm(request.POST, header=job.header)
    if form.is_valid() and _carried_out(form, job, request):
        return redirect("imports:show", job_id)
    return _columns(request, job, form, status=422)


@allow("imports.add_importjob")
@require_POST
def encoding(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """Read the file anew in another encoding, and show what stands in its columns then."""
    job = get_job(user_of(request), job_id)
    form = EncodingForm(request.POST)
    if form.is_valid():
        try:
            set_encoding(job_id, form.cleaned_data["encoding"])
            return redirect("imports:columns", job_id)
        except PortalError as error:
            form.add_error("encoding", error.detail)
    columns_form = ColumnsForm(header=job.header, mapping=suggested_mapping(job)[0])
    return _columns(request, job, columns_form, encoding_form=form, status=422)


def _asked(profile: str, job: ImportJob) -> tuple[list[str], str]:
    """The columns as the address asks for them, and the name under which they are saved."""
    if profile == GUESS:
        return guess_fields(job.header), ""
    found = MappingProfile.objects.filter(pk=profile).first() if profile.isdecimal() else None
    return (mapping_for(found, job.header), found.name) if found else suggested_mapping(job)


def _carried_out(form: ColumnsForm, job: ImportJob, request: HttpRequest) -> bool:
    try:
        if name := form.cleaned_data["profile_name"]:
            save_profile(name, header=job.header, mapping=form.mapping, by=user_of(request))
    except PortalError as error:
        form.add_error("profile_name", error.detail)
        return False
    set_columns(job.pk, form.mapping)
    return True


def _columns(
    request: HttpRequest,
    job: ImportJob,
    form: ColumnsForm,
    *,
    profile_name: str = "",
    encoding_form: EncodingForm | None = None,
    status: int = 200,
) -> HttpResponse:
    mapping = form.mapping
    context = {
        "job": job,
        "form": form,
        "encoding_form": encoding_form or EncodingForm(initial={"encoding": job.encoding or UTF_8}),
        "encoding": ENCODINGS.get(job.encoding or UTF_8, ""),
        "is_assumed": job.encoding not in ("", UTF_8) and not has_mark(job),
        "has_mark": has_mark(job),
        "rows": _rows(job, form),
        "is_known": any(guess_fields(job.header)),
        "can_name_a_patient": can_name_a_patient(mapping),
        "missing": [words for name, words in WANTED.items() if name not in mapping],
        "profiles": profiles_for(job.header),
        "profile_name": profile_name,
        "earlier": earlier_import(job),
        "steps": wizard_steps(job, COLUMNS),
    }
    return render(request, "imports/columns.html", context, status=status)


def _rows(job: ImportJob, form: ColumnsForm) -> list[dict[str, Any]]:
    samples = job.samples or [[] for _ in job.header]
    return [
        {
            "name": name,
            "field": form[f"c{index}"],
            "samples": samples[index],
            "chosen": chosen,
            "lost_zeros": index in job.numeric_columns and chosen in DIGITS,
        }
        for index, (name, chosen) in enumerate(zip(job.header, form.mapping, strict=True))
    ]
