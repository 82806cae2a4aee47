"""Recognises plain registrations of programs in the bytes of a request, and makes rows of them.

What is not plainly good is none of these: Django says what is wrong with it, or decides.
"""

import io
import re
import time
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db import DatabaseError, connection
from rest_framework.exceptions import APIException
from waitress.channel import HTTPChannel

from portal.accounts.known_users import KnownUser
from portal.errors import PortalError
from portal.json_bodies import BoundedJSONParser
from portal.patients.gathered_registrations import Registration, prepare_registration
from portal.patients.json_writes import PLAIN_ACCEPTS
from portal.patients.models import Source
from portal.patients.serializers.bodies import NewPatientBody
from portal.plain_requests import read_sender

LONGEST_BODY = 16 * 1024  # Bytes; a longer one would keep the loop from other work.
ADD = "patients.add_patient"
ROUTE = "api/patients"
_FIRST_LINE = b"POST /api/patients HTTP/1.1\r\n"
_TYPE = re.compile(
    rb"^content-type: application/json(?:; ?charset=utf-8)?\r\n", re.IGNORECASE | re.MULTILINE
)
_LENGTH = re.compile(rb"^content-length: ([1-9][0-9]{0,5})\r\n", re.IGNORECASE | re.MULTILINE)


class Head(NamedTuple):
    """What the headers tell: a user who may register patients, and the body as far as it came."""

    known: KnownUser
    request_id: str
    body: bytes
    length: int  # Bytes of the whole body.

    @property
    def lacks_bytes(self) -> bool:
        """Many clients send headers and body one after the other."""
        return len(self.body) < self.length


@dataclass(slots=True, eq=False)
class PlainRegistration:
    """A registration whose body is valid."""

    registration: Registration
    request_id: str
    data: bytes  # The request as it came.
    came_at: float

    def close(self) -> None:
        """Does nothing; the web server closes the bodies of other requests."""


def read_head(data: bytes, channel: HTTPChannel) -> Head | None:
    """Returns the head of the registration that begins these bytes; None if it is no plain one."""
    if not data.startswith(_FIRST_LINE):
        return None
    head, _, body = data[len(_FIRST_LINE) :].partition(b"\r\n\r\n")
    headers, types = _TYPE.subn(b"", head + b"\r\n")
    lengths = _LENGTH.findall(headers)
    if types != 1 or len(lengths) != 1 or not len(body) <= int(lengths[0]) <= LONGEST_BODY:
        return None
    sender, known, request_id = read_sender(_LENGTH.sub(b"", headers) + b"\r\n", channel)
    if sender is None or known is None or sender.accept not in PLAIN_ACCEPTS:
        return None
    if not known.user.has_perm(ADD):
        return None
    return Head(known, request_id, body, int(lengths[0]))


def registration_of(head: Head, data: bytes) -> PlainRegistration | None:
    """Returns the registration with this head; None where Django has to decide.

    It asks no database.
    """
    came_at = time.perf_counter()
    try:
        with connection.execute_wrapper(_refuse):
            registration = _prepare(head)
    except (PortalError, APIException, ValueError, DatabaseError):
        return None  # Django finds the words for it.
    return registration and PlainRegistration(registration, head.request_id, data, came_at)


def _prepare(head: Head) -> Registration | None:
    members = BoundedJSONParser().parse(io.BytesIO(head.body), "application/json")
    if not isinstance(members, dict):
        return None
    body = NewPatientBody(data=members)
    body.is_valid(raise_exception=True)
    details = body.validated_data
    if details.pop("duplicate_reason"):
        return None
    return prepare_registration(
        details, by=head.known.user, source=Source.API, request_id=head.request_id, route=ROUTE
    )


def _refuse(*_: Any) -> Any:
    """Keeps the loop from waiting for the database, should a check come to ask it."""
    raise DatabaseError("The loop asks no database.")
