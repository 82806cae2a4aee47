"""Plain searches of programs: recognised in the web server's loop, answered by one of its threads.

Only what Django and REST framework would do around a search is left out. Any doubt, and any error,
takes their way, which says what is wrong.
"""

import re
import time
from dataclasses import dataclass, field
from typing import Any

import structlog
from django.db import connection
from django.http import QueryDict
from django.utils.encoding import iri_to_uri
from rest_framework.utils.urls import replace_query_param
from structlog.contextvars import bound_contextvars
from waitress.channel import HTTPChannel
from waitress.task import WSGITask

from portal.patients.gathered_reads import CHANNEL
from portal.patients.json_reads import find_patients
from portal.patients.selectors import PatientFilters
from portal.plain_answers import note_answered, page_answer
from portal.plain_requests import LARGEST_PAGE, USUAL_PAGE, VIEW, PlainRead, read_sender
from portal.text import is_damaged
from portal.web_request import BoundedRequest

log = structlog.get_logger("portal.web")

# The first letters of a query that has nothing to say but `q` and `limit`, in plain characters.
_FIRST_LINE = re.compile(
    rb"GET (/api/patients\?((?:q|limit)=[\x21\x22\x24-\x7e]{0,2000})) HTTP/1\.1\r\n"
)
_LIMIT = re.compile("[1-9][0-9]{0,2}")


@dataclass(slots=True, eq=False)
class PlainSearch(PlainRead):
    """A search that is plainly good. It stands among the requests of its connection."""

    text: str = ""
    # What the web server asks of a request.
    error: None = None
    path: str = ""
    version: str = "1.1"
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def task_class(self) -> type["SearchTask"]:
        """What a thread does for it."""
        return SearchTask


def recognise_search(data: bytes, channel: HTTPChannel) -> PlainSearch | None:
    """Returns the search that these bytes ask for; None if they are not one whole plain search."""
    match = _FIRST_LINE.match(data)
    asked = _read_query(match[2]) if match else None
    if match is None or asked is None:
        return None
    sender, known, request_id = read_sender(data[match.end() :], channel)
    if sender is None or known is None or not known.user.has_perm(VIEW):
        return None
    text, limit = asked
    target = match[1].decode()
    return PlainSearch(
        known, sender.origin, target, "", limit, request_id, data, time.perf_counter(), text
    )


def _read_query(query: bytes) -> tuple[str, int] | None:
    """Returns text and limit as `ListQuery` would; None if they are not plain."""
    given = QueryDict(query)
    text, limit = given.get("q", "").strip(), given.get("limit", str(USUAL_PAGE))
    if not {"q"} <= given.keys() <= {"q", "limit"} or any(len(v) > 1 for _, v in given.lists()):
        return None
    if not text or is_damaged(text):
        return None
    if not _LIMIT.fullmatch(limit) or int(limit) > LARGEST_PAGE:
        return None
    return text, int(limit)


class SearchTask:
    """What a thread of the web server does for a plain search, as `WSGITask` does for others."""

    close_on_finish = wrote_header = False

    def __init__(self, channel: HTTPChannel, request: PlainSearch) -> None:
        self.channel, self.request = channel, request

    def service(self) -> None:
        """Sends the answer; Django's, where there is any doubt."""
        try:
            answer = _answer(self.request)
        except Exception as error:
            # Django's answer says what is wrong. The text of an error may hold a name.
            log.info("search_not_plain", error=type(error).__name__)
            self._ask_django()
            return
        self.wrote_header = True
        self.channel.write_soon(answer)
        note_answered([(self.request, answer)])

    def _ask_django(self) -> None:
        parsed = BoundedRequest(self.channel.adj)
        parsed.received(self.request.data)
        task: Any = WSGITask(self.channel, parsed)
        try:
            task.service()
        finally:
            self.wrote_header, self.close_on_finish = task.wrote_header, task.close_on_finish


def _answer(search: PlainSearch) -> bytes:
    if connection.close_at is not None and time.monotonic() >= connection.close_at:
        connection.close()  # Django does so before a request.
    with bound_contextvars(request_id=search.request_id):
        array, cursor = find_patients(
            search.known.user,
            channel=CHANNEL,
            text=search.text,
            filters=PatientFilters(),
            after="",
            limit=search.limit,
        )
    return page_answer(search, array.encode(), _next_page(search, cursor))


def _next_page(search: PlainSearch, cursor: str) -> str:
    address = iri_to_uri(search.origin + search.target)
    return replace_query_param(address, "cursor", cursor) if cursor else ""
