"""The imports so far, and the upload that begins another one."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from portal.accounts.rules import allow, user_of
from portal.errors import PortalError
from portal.imports.forms.upload import UploadForm
from portal.imports.selectors import jobs_visible_to
from portal.imports.services import start_dry_run
from portal.imports.wizard import UPLOAD, wizard_steps

JOBS_SHOWN = 50


@allow("imports.view_importjob")
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Shows the imports so far, and the form for another one."""
    return _index(request, UploadForm())


@allow("imports.add_importjob")
@require_POST
def upload(request: HttpRequest) -> HttpResponse:
    """Stores the file and goes on to its columns, or for FHIR to its dry run."""
    form = UploadForm(request.POST, request.FILES)
    if not form.is_valid():
        return _index(request, form, status=422)
    try:
        job = start_dry_run(form.cleaned_data["file"], by=user_of(request))
    except PortalError as error:
        form.add_error("file", error.detail)
        return _index(request, form, status=error.status)
    return redirect("imports:columns" if job.is_table else "imports:show", job.pk)


def _index(request: HttpRequest, form: UploadForm, *, status: int = 200) -> HttpResponse:
    jobs = jobs_visible_to(user_of(request))[:JOBS_SHOWN]
    context = {"form": form, "jobs": jobs, "steps": wizard_steps(None, UPLOAD)}
    return render(request, "imports/index.html", context, status=status)
