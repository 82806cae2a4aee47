"""The answers to plain requests as bytes, with their headers, log lines and figures.

They are what Django and the web server would send, which a test compares.
"""

import json
import logging
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import cache
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.urls import resolve, reverse
from waitress.utilities import build_http_date

from portal.browser_middleware import PROGRAM_HEADERS
from portal.errors import PortalError
from portal.middleware import REQUESTS, SECONDS
from portal.plain_registrations import PlainRegistration
from portal.plain_requests import PlainRead
from portal.problems import PROBLEM_JSON, problem_document, problem_headers

lines = logging.getLogger("portal.lines")  # Its lines are JSON already, see portal.logs.
PlainRequest = PlainRead | PlainRegistration
_HEADERS = {**PROGRAM_HEADERS, "Cache-Control": "no-store", "Vary": "Accept"}
_IN_EACH = {"Content-Length": "{length}", "Date": "{date}", "X-Request-Id": "{request_id}"}
_JSON = {"Content-Type": "application/json"}


def _head(headers: Mapping[str, str], status: HTTPStatus = HTTPStatus.OK) -> str:
    """Returns status and headers in the web server's order, as a text to format."""
    every = {**_HEADERS, **_IN_EACH, **headers}
    first = f"HTTP/1.1 {status.value} {status.phrase}"
    lines = [f"{name}: {every[name]}" for name in sorted(every)]
    return "\r\n".join([first, *lines]) + "\r\n\r\n"


_PATIENT = _head({**_JSON, "Etag": '"{version}"'})
_PAGE = _head({**_JSON, "Link": '<{link}>; rel="next"'})
_LAST_PAGE = _head(_JSON)
_TOKEN_IS_GOOD = _head({"Allow": "GET, HEAD, OPTIONS"})
_ALLOWED = {"Allow": "GET, POST, HEAD, OPTIONS"}
_NEW_PATIENT = _head(
    {**_JSON, **_ALLOWED, "Etag": '"{version}"', "Location": "/api/patients/{patient_id}"},
    HTTPStatus.CREATED,
)


def patient_answer(read: PlainRead, version: int, text: str) -> bytes:
    """Returns the answer with a patient's JSON."""
    return _answer(_PATIENT, read, text.encode(), version=version)


def page_answer(read: PlainRead, array: bytes, link: str) -> bytes:
    """Returns the answer with a JSON array of patients; `link` is the next page's, if any."""
    return _answer(_PAGE if link else _LAST_PAGE, read, array, link=link)


def good_token_answer(read: PlainRead) -> bytes:
    """Returns the empty answer to a good token."""
    return _answer(_TOKEN_IS_GOOD, read, b"")


def new_patient_answer(
    request: PlainRegistration, patient_id: UUID, version: int, text: str
) -> bytes:
    """Returns the answer with the JSON of a patient who was registered."""
    return _answer(_NEW_PATIENT, request, text.encode(), patient_id=patient_id, version=version)


def problem_answer(request: PlainRegistration, error: PortalError) -> bytes:
    """Returns the answer to a registration that was not made."""
    headers = {**_ALLOWED, **problem_headers(error), "Content-Type": PROBLEM_JSON}
    body = json.dumps(problem_document(request, error)).encode()
    return _answer(_head(headers, HTTPStatus(error.status)), request, body)


def _answer(head: str, request: PlainRequest, body: bytes, **values: Any) -> bytes:
    date = _date(int(time.time()))
    filled = head.format(length=len(body), date=date, request_id=request.request_id, **values)
    return filled.encode("latin-1") + body


_dates: dict[int, str] = {}


def _date(second: int) -> str:
    date = _dates.get(second)
    if date is None:
        _dates.clear()
        date = _dates[second] = build_http_date(second)
    return date


def note_answered(answered: Iterable[tuple[PlainRequest, bytes]]) -> None:
    """Counts answers, and logs a line for each, as `RequestContext` does; all in one write."""
    now = time.perf_counter()
    at = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    texts = []
    for request, answer in answered:
        status = int(answer[9:12])
        method, name = _method_and_route(request)
        route, count, seconds = _figures(method, name, status)
        count.inc()
        seconds.observe(now - request.came_at)
        texts.append(
            f'{{"method": "{method}", "route": "{route}", "status": {status}, '
            f'"ms": {round((now - request.came_at) * 1000, 1)}, "event": "request", '
            f'"request_id": "{request.request_id}", "logger": "portal.middleware", '
            f'"level": "info", "timestamp": "{at}"}}'
        )
    if texts:
        lines.info("\n".join(texts))


def _method_and_route(request: PlainRequest) -> tuple[str, str]:
    if isinstance(request, PlainRegistration):
        return "POST", "patients:api-list"
    if request.is_token_check:
        return "GET", "accounts:validate"
    return "GET", "patients:api-list" if request.limit else "patients:api-one"


@cache
def _figures(method: str, name: str, status: int) -> tuple[str, Any, Any]:
    """Returns the route, and what counts its requests and their times."""
    values = [UUID(int=0)] if name == "patients:api-one" else []
    route = resolve(reverse(name, args=values)).route
    return route, REQUESTS.labels(method, route, status), SECONDS.labels(method, route)
