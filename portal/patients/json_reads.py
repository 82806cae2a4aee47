"""Reads patients as JSON for programs: one statement makes the answer and records the access.

The views of REST framework answer everything else: browsers, errors, and other methods.
"""

import json
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.utils.encoders import JSONEncoder
from rest_framework.views import APIView
from structlog.contextvars import get_contextvars

from portal.accounts.models import User
from portal.accounts.tokens import bearer_of
from portal.browser_middleware import is_program
from portal.patients import quick_change
from portal.patients.json_searches import Access, find_at_once
from portal.patients.models import Patient
from portal.patients.recorded_reads import recorded_read, values_of_read
from portal.patients.search.engine import begin_search, read_hits
from portal.patients.search.first_page import read_first_page
from portal.patients.selectors import PatientFilters, filter_patients
from portal.patients.serializers.patient import patient_json
from portal.patients.stored_json import json_call, stored_json_sql
from portal.prepared import execute_prepared

Row = tuple[UUID, int, str]  # A patient's id, version and JSON.


def json_of(patient_id: UUID) -> Row:
    """Returns the JSON of a patient whose access is recorded already, or who was just written."""
    [row] = execute_prepared(*json_call(patient_id))
    return with_text(row)


def with_text(row: tuple[UUID, int, str | None]) -> Row:
    """Returns the row as it is answered, whatever dates the patient has."""
    patient_id, version, text = row
    return patient_id, version, text or _serialized(patient_id)


def read_patient(user: User, patient_id: UUID, *, channel: str) -> Row | None:
    """Returns the patient as `open_patient` would, and records the access; None for no patient."""
    rows = _read(user, [patient_id], action="open", channel=channel)
    return rows[0] if rows else None


def read_to_change(user: User, patient_id: UUID, *, channel: str) -> tuple[Patient, str] | None:
    """Does the same, and returns the record itself beside its JSON."""
    found = quick_change.read_to_change(user, patient_id, channel=channel)
    if found is None:
        return None
    patient, text = found
    return patient, text or _serialized(patient_id)


def find_patients(
    user: User,
    *,
    channel: str,
    text: str,
    filters: PatientFilters,
    after: str,
    limit: int,
) -> tuple[str, str]:
    """Returns a JSON array of a page, and the cursor of the next, as `find_patients` would."""
    is_first_page = not text.strip() and not after and filters == PatientFilters()
    page = read_first_page(limit) if is_first_page else None
    if page:
        ids, next_cursor = page
        rows = _read(user, ids, action="list", channel=channel)
        return f"[{','.join(text for _, _, text in rows)}]", next_cursor
    asked = begin_search(filter_patients(user, filters), text, after)
    access = Access(user.pk, channel, get_contextvars().get("request_id", ""))
    if at_once := find_at_once(asked, limit, access):
        found, stored = at_once
        texts = [
            _with_reason(text or _serialized(hit.patient_id), hit.reason)
            for hit, text in zip(found.hits, stored, strict=True)
        ]
    else:
        found = read_hits(asked, limit)
        rows = _read(user, [hit.patient_id for hit in found.hits], action="list", channel=channel)
        reasons = {hit.patient_id: hit.reason for hit in found.hits if hit.reason}
        texts = [_with_reason(row, reasons.get(patient_id, "")) for patient_id, _, row in rows]
    return f"[{','.join(texts)}]", found.next_cursor


def _with_reason(patient: str, reason: str) -> str:
    return f'{patient[:-1]}, "matchedOn": {json.dumps(reason)}}}' if reason else patient


def _read(user: User, patient_ids: Sequence[UUID], *, action: str, channel: str) -> list[Row]:
    if not patient_ids:
        return []
    values = values_of_read(user, patient_ids, action=action, channel=channel)
    rows = execute_prepared("read_patients", _statement, values)
    return [with_text(row) for row in rows]


def _statement() -> str:
    columns = {name: f"patients_patient.{name}" for name in ("id", "version")}
    return recorded_read({**columns, "json": stored_json_sql()})


def _serialized(patient_id: UUID) -> str:
    """Returns the JSON of a patient with a date that the database would write and nobody reads."""
    patient = Patient.objects.prefetch_related("identifiers").get(pk=patient_id)
    return json.dumps(patient_json(patient), cls=JSONEncoder, ensure_ascii=False)


class JsonReads(APIView):
    """A REST view whose `read_json` answers programs, where it can, before REST framework does.

    It takes the user, the request and what the route captures. It returns None where REST framework
    has to find out what is wrong.
    """

    read_json: Callable[..., HttpResponse | None]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method == "GET" and is_program(request) and _takes_json(request):
            user = bearer_of(request)
            if user and user.has_perm("patients.view_patient"):
                answer = self.read_json(user, request, **kwargs)
                if answer is not None:
                    return answer
        return super().dispatch(request, *args, **kwargs)


def _takes_json(request: HttpRequest) -> bool:
    """Returns whether the request plainly asks for JSON, or for any form."""
    accept = request.META.get("HTTP_ACCEPT", "*/*")
    return "format" not in request.GET and ("*/*" in accept or "application/json" in accept)


def json_answer(text: str, **headers: str) -> HttpResponse:
    """Returns the answer of a program's read."""
    return HttpResponse(
        text, content_type="application/json", headers={"Vary": "Accept", **headers}
    )
