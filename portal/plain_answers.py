"""The answers of plain reads as bytes, with their headers, log lines and figures.

They are what Django and the web server would send, which a test compares.
"""

import logging
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any
from uuid import UUID

from django.urls import resolve, reverse
from waitress.utilities import build_http_date

from portal.browser_middleware import PROGRAM_HEADERS
from portal.middleware import REQUESTS, SECONDS
from portal.plain_requests import PlainRead

lines = logging.getLogger("portal.lines")  # Its lines are JSON already, see portal.logs.
_HEADERS = {**PROGRAM_HEADERS, "Cache-Control": "no-store", "Vary": "Accept"}
_IN_EACH = {"Content-Length": "{length}", "Date": "{date}", "X-Request-Id": "{request_id}"}
_JSON = {"Content-Type": "application/json"}


def _head(headers: Mapping[str, str]) -> str:
    """Returns status and headers in the web server's order, as a text to format."""
    every = {**_HEADERS, **_IN_EACH, **headers}
    return "\r\n".join(["HTTP/1.1 200 OK", *(f"{name}: {every[name]}" for name in sorted(every))])


_PATIENT = _head({**_JSON, "Etag": '"{version}"'}) + "\r\n\r\n"
_PAGE = _head({**_JSON, "Link": '<{link}>; rel="next"'}) + "\r\n\r\n"
_LAST_PAGE = _head(_JSON) + "\r\n\r\n"
_TOKEN_IS_GOOD = _head({"Allow": "GET, HEAD, OPTIONS"}) + "\r\n\r\n"


def patient_answer(read: PlainRead, version: int, text: str) -> bytes:
    """Returns the answer with a patient's JSON."""
    return _answer(_PATIENT, read, text.encode(), version=version)


def page_answer(read: PlainRead, array: bytes, link: str) -> bytes:
    """Returns the answer with a JSON array of patients; `link` is the next page's, if any."""
    return _answer(_PAGE if link else _LAST_PAGE, read, array, link=link)


def good_token_answer(read: PlainRead) -> bytes:
    """Returns the empty answer to a good token."""
    return _answer(_TOKEN_IS_GOOD, read, b"")


def _answer(head: str, read: PlainRead, body: bytes, **values: Any) -> bytes:
    date = _date(int(time.time()))
    filled = head.format(length=len(body), date=date, request_id=read.request_id, **values)
    return filled.encode("latin-1") + body


_dates: dict[int, str] = {}


def _date(second: int) -> str:
    date = _dates.get(second)
    if date is None:
        _dates.clear()
        date = _dates[second] = build_http_date(second)
    return date


def note_answered(reads: Iterable[PlainRead]) -> None:
    """Counts answers, and logs a line for each, as `RequestContext` does; all in one write."""
    now = time.perf_counter()
    at = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    texts = []
    for read in reads:
        route, count, seconds = _figures(is_token_check=read.is_token_check, is_list=read.limit > 0)
        count.inc()
        seconds.observe(now - read.came_at)
        texts.append(
            f'{{"method": "GET", "route": "{route}", "status": 200, '
            f'"ms": {round((now - read.came_at) * 1000, 1)}, "event": "request", '
            f'"request_id": "{read.request_id}", "logger": "portal.middleware", '
            f'"level": "info", "timestamp": "{at}"}}'
        )
    if texts:
        lines.info("\n".join(texts))


@cache
def _figures(*, is_token_check: bool, is_list: bool) -> tuple[str, Any, Any]:
    """Returns the route, and what counts its requests and their times."""
    name = "accounts:validate" if is_token_check else "patients:api-list"
    address = (
        reverse(name)
        if is_token_check or is_list
        else reverse("patients:api-one", args=[UUID(int=0)])
    )
    route = resolve(address).route
    return route, REQUESTS.labels("GET", route, 200), SECONDS.labels("GET", route)
