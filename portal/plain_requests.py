"""Recognises the plain reads of programs in the bytes of a request, without parsing it each time.

A program sends the same headers with each request. They are read once, by the web server's parser
and by Django, and remembered. A request that is not plainly good is none of these: Django says what
is wrong with it.
"""

import re
import time
import uuid
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import DisallowedHost
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponse
from waitress.channel import HTTPChannel
from waitress.task import WSGITask

from portal.accounts.known_users import KnownUser, remembered_user
from portal.accounts.tokens import checked_token, refusal_of, user_id_of
from portal.browser_middleware import is_program
from portal.middleware import SAFE_ID
from portal.proxies import TrustedProxies
from portal.web_request import BoundedRequest

LARGEST_PAGE = 200  # Patients; a longer page goes to Django.
USUAL_PAGE = 50  # Patients of a page whose address names no limit.
LONGEST_HEADERS = 4 * 1024  # Bytes, of what is remembered.
MOST_HEADERS = 1_000  # In memory; more begin anew, so that it stays bounded.
_UUID = rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_FIRST_LINE = re.compile(
    rb"GET (/auth/validate|/api/patients(?:/(%b)|\?limit=([1-9][0-9]{0,2}))?) HTTP/1\.1\r\n" % _UUID
)
_REQUEST_ID = re.compile(rb"^x-request-id: ([^\r\n]*)\r\n", re.IGNORECASE | re.MULTILINE)
_HEADER = re.compile(rb"([A-Za-z0-9-]+): [\x20-\x7e]+")
# A request with another header may mean more than a plain read.
_KNOWN_HEADERS = frozenset(
    b"accept accept-encoding accept-language authorization cache-control connection dnt forwarded"
    b" host pragma traceparent tracestate user-agent via x-forwarded-for x-forwarded-host"
    b" x-forwarded-port x-forwarded-proto x-real-ip".split()
)
VIEW = "patients.view_patient"
# What usual clients send; others may have an order of what they like best.
PLAIN_ACCEPT = {
    "*/*",
    "application/json",
    "application/json, */*",
    "application/json, text/plain, */*",
}


@dataclass(slots=True)
class Sender:
    """A sender is whom the headers tell of: the token, and scheme and host for links."""

    token: Any
    user_id: int
    origin: str
    accept: str
    known: KnownUser | None = None  # The user as they were when the token was found good.

    def user_in_memory(self) -> KnownUser | None:
        """Returns the user while the token is good, by what is in memory; None if in doubt."""
        known = remembered_user(self.user_id)
        if known is None or self.token["exp"] <= time.time():
            return None
        if known is not self.known:
            self.known = None if refusal_of(self.token, known) else known
        return self.known


@dataclass(slots=True, eq=False)
class PlainRead:
    """A read that is plainly good: the user may see patients, or only has the token checked."""

    known: KnownUser
    origin: str  # Scheme and host.
    target: str  # The address without them.
    patient_id: str  # Of one patient, or empty.
    limit: int  # Of a page of the list, or 0.
    request_id: str
    data: bytes  # The request as it came.
    came_at: float

    @property
    def user_id(self) -> int:
        return int(self.known.user.pk)

    @property
    def is_token_check(self) -> bool:
        return not self.patient_id and not self.limit

    def close(self) -> None:
        """Does nothing; the web server closes the bodies of other requests."""


_senders: dict[tuple[bytes, str], Sender] = {}


def recognise(data: bytes, channel: HTTPChannel) -> PlainRead | None:
    """Returns the read that these bytes ask for; None if they are not one whole plain read."""
    match = _FIRST_LINE.match(data)
    if match is None:
        return None
    target, patient_id, given_limit = match.groups()
    limit = USUAL_PAGE if target == b"/api/patients" else int(given_limit or 0)
    sender, known, request_id = read_sender(data[match.end() :], channel)
    if sender is None or known is None or limit > LARGEST_PAGE:
        return None
    if (patient_id or limit) and not known.user.has_perm(VIEW):
        return None
    return PlainRead(
        known,
        sender.origin,
        target.decode(),
        patient_id.decode() if patient_id else "",
        limit,
        request_id,
        data,
        time.perf_counter(),
    )


def read_sender(
    headers: bytes, channel: HTTPChannel
) -> tuple[Sender | None, KnownUser | None, str]:
    """Returns whom these headers tell of, the user if the token is plainly good, and an id."""
    request_id = ""
    sender = _senders.get((headers, channel.addr[0]))
    if sender is None:
        headers, request_id = _without_request_id(headers)
        sender = _senders.get((headers, channel.addr[0])) or _remember(headers, channel)
    known = sender.user_in_memory() if sender else None
    return sender, known, request_id or uuid.uuid4().hex


def _without_request_id(headers: bytes) -> tuple[bytes, str]:
    found = _REQUEST_ID.findall(headers)
    if len(found) != 1:
        return headers, ""
    given = found[0].decode("latin-1").strip()
    return _REQUEST_ID.sub(b"", headers), given if SAFE_ID.fullmatch(given) else ""


def _remember(headers: bytes, channel: HTTPChannel) -> Sender | None:
    if len(headers) > LONGEST_HEADERS or not _are_plain(headers):
        return None
    sender = _read(headers, channel)
    if sender:
        if len(_senders) >= MOST_HEADERS:
            _senders.clear()
        _senders[headers, channel.addr[0]] = sender
    return sender


def _are_plain(headers: bytes) -> bool:
    *lines, end, rest = headers.split(b"\r\n")
    matches = [_HEADER.fullmatch(line) for line in lines]
    return not (end or rest) and all(
        match and match[1].lower() in _KNOWN_HEADERS for match in matches
    )


def _read(headers: bytes, channel: HTTPChannel) -> Sender | None:
    """Reads the headers as they would be read for a request to Django."""
    parsed = BoundedRequest(channel.adj)
    parsed.received(b"GET /api/patients HTTP/1.1\r\n" + headers)
    if parsed.error or not parsed.completed:
        return None
    request = WSGIRequest(WSGITask(channel, parsed).get_environment())
    TrustedProxies(_no_answer)(request)
    try:
        origin = request.build_absolute_uri("/")[:-1]
    except DisallowedHost:
        return None
    if request.META.get("HTTP_CONNECTION", "keep-alive").lower() != "keep-alive":
        return None
    if not is_program(request) or request.META.get("HTTP_ACCEPT", "*/*") not in PLAIN_ACCEPT:
        return None
    token, accept = checked_token(request), request.META.get("HTTP_ACCEPT", "*/*")
    return Sender(token, user_id_of(token), origin, accept) if token else None


def _no_answer(_request: HttpRequest) -> HttpResponse:
    return HttpResponse()
