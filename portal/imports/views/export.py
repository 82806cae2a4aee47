"""A search as a file, for those who may take patients out of the portal."""

from collections.abc import Iterable, Iterator

from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from portal.accounts.rules import allow, user_of
from portal.imports.export import KINDS, WRITERS
from portal.patients.models import Source
from portal.patients.selectors import PatientFilters, every_patient

CHUNK = 64 * 1024  # Characters; a line each would be a packet each.


@allow("patients.export_patient")
@require_safe
def export(request: HttpRequest, kind: str) -> StreamingHttpResponse:
    """Every patient whom the list finds for the same words and filters, but for those who merely sound alike.

    Nothing of them is in the file's name.
    """
    filters = PatientFilters.of_the_list(request.GET)
    found = every_patient(
        user_of(request),
        channel=Source.PORTAL,
        text=request.GET.get("q", "").strip(),
        filters=filters,
    )
    name = f"patients-{timezone.localtime():%Y%m%d-%H%M}.{kind}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return StreamingHttpResponse(
        _in_chunks(WRITERS[kind](found)), content_type=KINDS[kind], headers=headers
    )


def _in_chunks(lines: Iterable[str]) -> Iterator[str]:
    waiting, size = [], 0
    for line in lines:
        waiting.append(line)
        size += len(line)
        if size >= CHUNK:
            yield "".join(waiting)
            waiting, size = [], 0
    yield "".join(waiting)
