"""A search as a file, for users who may take patients out of the portal."""

from collections.abc import Iterable, Iterator

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.views.decorators.http import require_safe

from portal.accounts.rules import allow, user_of
from portal.downloads import send_file
from portal.imports.export import CONTENT_TYPES, WRITERS
from portal.patients.models import Source
from portal.patients.selectors import PatientFilters, every_patient

CHUNK = 64 * 1024  # Characters in one packet; a packet for each line would be slow.


@allow("patients.export_patient")
@require_safe
def export(request: HttpRequest, kind: str) -> HttpResponseBase:
    """Exports the patients that the list finds by the same words and filters.

    An export that cannot be completed ends with a line that says so, and with a broken connection.
    Patients who merely sound alike are left out. The file's name says nothing of them.
    """
    patients = every_patient(
        user_of(request),
        channel=Source.PORTAL,
        text=request.GET.get("q", "").strip(),
        filters=PatientFilters.from_page(request.GET),
    )
    name = f"patients-{timezone.localtime():%Y%m%d-%H%M}.{kind}"
    lines = WRITERS[kind](patients)
    return send_file(name, lambda: _in_chunks(lines), content_type=CONTENT_TYPES[kind])


def _in_chunks(lines: Iterable[str]) -> Iterator[str]:
    waiting: list[str] = []
    size = 0
    try:
        for line in lines:
            waiting.append(line)
            size += len(line)
            if size >= CHUNK:
                yield "".join(waiting)
                waiting, size = [], 0
    except Exception:  # The last line says that the file is not complete.
        yield "".join(waiting)
        raise  # The answer ends without its last chunk, so that a browser reports a failure.
    yield "".join(waiting)
