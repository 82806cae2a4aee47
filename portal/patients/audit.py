"""The audit of patients: the context of each change in the log, and the access log."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pghistory
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from structlog.contextvars import get_contextvars

from portal.accounts.models import User
from portal.patients.models import AccessRecord
from portal.patients.number_series import ensure_numbers_continue

# Recorded actions of the access log, as pages print them.
ACCESS_ACTIONS = {
    "open": "Opened the record",
    "list": "Saw in a list",
    "similar": "Saw as a possible duplicate while registering or editing",
    "review": "Saw while reviewing an import",
    "compare": "Compared with a record that may be the same person",
    "timeline": "Looked at the timeline",
    "identifiers": "Looked at the identifiers",
    "history": "Looked at what changed",
    "past": "Looked at it as it was",
    "access": "Looked at who looked",
    "label": "Opened the label",
    "set_apart": "Dismissed as a possible duplicate",
    "put_back": "Reopened as a possible duplicate",
    "export": "Exported to a file",
    "audit": "Exported the audit",
}


class AuditContext:
    """Middleware: puts the route and id of a request into the log with each change it makes.

    The request of a program has no user yet; `one_change` names the user, whoever asks.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user.pk if hasattr(request, "user") else None
        with pghistory.context(user=user, request_id=get_contextvars().get("request_id", "")):
            return self.get_response(request)

    def process_view(self, request: HttpRequest, *_: object) -> None:
        match = request.resolver_match
        pghistory.context(route=match.route if match else "")


@contextmanager
def written_by(by: User | None, *, source: str, **more: Any) -> Iterator[None]:
    """Puts the user and the channel into the log with every change that is made inside.

    So the log also knows of changes that a command or a shell makes.
    """
    with pghistory.context(user=by.pk if by else None, source=source, **more):
        yield


@contextmanager
def one_change(by: User | None, *, source: str, **more: Any) -> Iterator[None]:
    """One transaction that changes patients, with the user and the channel in the log."""
    ensure_numbers_continue()
    with transaction.atomic(), written_by(by, source=source, **more):
        yield


def record_access(
    by: User | None, patient_ids: Iterable[UUID], *, action: str, channel: str
) -> None:
    """Writes one access record of the patients that the user saw; none if the user saw nobody."""
    seen = list(patient_ids)
    if seen:
        _create_record(by, seen, action=action, channel=channel)


def record_audit_export(by: User | None, about: UUID | None, *, channel: str) -> None:
    """Writes one access record of a file of the audit: it leaves the clinic, if it names nobody."""
    _create_record(by, [about] if about else [], action="audit", channel=channel)


def _create_record(by: User | None, patient_ids: list[UUID], *, action: str, channel: str) -> None:
    AccessRecord.objects.create(
        user=by if by and by.pk else None,
        patient_ids=patient_ids,
        action=action,
        door=channel,
        request_id=get_contextvars().get("request_id", ""),
    )


def action_name(action: str) -> str:
    """Returns a recorded action as pages print it."""
    return ACCESS_ACTIONS.get(action) or action.replace("_", " ").capitalize()
