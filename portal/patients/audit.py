"""Who did it: the context that the log's triggers write beside each change, and the record of each reading."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pghistory
from django.http import HttpRequest, HttpResponse
from structlog.contextvars import get_contextvars

from portal.accounts.models import User
from portal.patients.models import AccessRecord

# What somebody looked at, in words.
READS = {
    "open": "Opened the record",
    "list": "Saw in a list",
    "similar": "Saw while registering or changing somebody alike",
    "review": "Saw while reviewing an import",
    "compare": "Compared with a record that may be the same person",
    "timeline": "Looked at the timeline",
    "identifiers": "Looked at the identifiers",
    "history": "Looked at what changed",
    "past": "Looked at it as it was",
    "access": "Looked at who looked",
    "label": "Opened the label",
    "set_apart": "Said that it is another person than one alike",
    "put_back": "Took back that it is another person than one alike",
    "export": "Exported to a file",
    "audit": "Exported the audit",
}


class AuditContext:
    """For each request: its route and id go into the log with every change that it makes."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with pghistory.context(
            user=request.user.pk, request_id=get_contextvars().get("request_id", "")
        ):
            return self.get_response(request)

    def process_view(self, request: HttpRequest, *_: object) -> None:
        match = request.resolver_match
        pghistory.context(route=match.route if match else "")


@contextmanager
def written_by(by: User | None, *, source: str, **more: Any) -> Iterator[None]:
    """Changes made inside carry this user and door; used by services, so that a shell's changes are told too."""
    with pghistory.context(user=by.pk if by else None, source=source, **more):
        yield


def record_reading(
    by: User | None, patient_ids: Iterable[UUID], *, action: str, channel: str
) -> None:
    """One row for what somebody saw; nothing where they saw nobody."""
    seen = list(patient_ids)
    if seen:
        _record(by, seen, action=action, channel=channel)


def record_export_of_audit(by: User | None, about: UUID | None, *, channel: str) -> None:
    """One row for a file of who looked at whom: it names no patient, but it is taken out of the house."""
    _record(by, [about] if about else [], action="audit", channel=channel)


def _record(by: User | None, patient_ids: list[UUID], *, action: str, channel: str) -> None:
    AccessRecord.objects.create(
        user=by if by and by.pk else None,
        patient_ids=patient_ids,
        action=action,
        door=channel,
        request_id=get_contextvars().get("request_id", ""),
    )


def reading_name(action: str) -> str:
    """What a recorded reading was, in words."""
    return READS.get(action) or action.replace("_", " ").capitalize()
