"""Answers to errors: application/problem+json (RFC 9457) for programs, a page for browsers."""

import sys
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from rest_framework import exceptions
from rest_framework.views import set_rollback

from portal.accounts import unsaved_forms
from portal.accounts.redirects import page_of_form
from portal.accounts.sessions import is_fragment
from portal.disk import means_full_disk
from portal.errors import (
    FieldProblem,
    FormTooOld,
    InvalidInput,
    MemberProblem,
    NotAllowed,
    NotFound,
    NotJson,
    NotSignedIn,
    OurFault,
    PortalError,
    TooLarge,
    Unavailable,
    WrongForm,
    camel,
    escape_name,
)

PROBLEM_JSON = "application/problem+json"
# The database is away, full, out of connections or in a deadlock: trying again helps.
DATABASE_AWAY = (OperationalError, InterfaceError)
MOST_FAULTS = 20  # Faulty fields that an answer names; it counts the others.
ADMIN_METHODS = ("GET", "HEAD", "POST")
LONGEST_POINTER = 100  # Characters of a pointer, since a client may send any name of a member.


def problem_document(request: Any, error: PortalError) -> dict[str, Any]:
    """Returns the problem document of RFC 9457, with the list `errors` and the request's id."""
    body = {
        "type": f"urn:patient-portal:problem:{error.code}",
        "title": error.title,
        "status": error.status,
        "detail": error.detail or error.title,
        "requestId": getattr(request, "request_id", ""),
        **error.extra,
    }
    if error.errors:
        body["errors"] = [
            {"pointer": _json_pointer(fault), "code": fault.code, "detail": fault.detail}
            for fault in error.errors[:MOST_FAULTS]
        ]
    if len(error.errors) > MOST_FAULTS:
        body["errorCount"] = len(error.errors)
    return body


def _json_pointer(fault: FieldProblem) -> str:
    """Returns the pointer (RFC 6901) as a fragment; half of a character in it becomes `?`."""
    name = fault.pointer if isinstance(fault, MemberProblem) else camel(fault.pointer)
    return f"#/{name[:LONGEST_POINTER]}".encode(errors="replace").decode()


def handle_api_error(error: Exception, context: Mapping[str, Any]) -> JsonResponse | None:
    """REST framework's exception handler: answers every known error with a problem document.

    The document is JSON whatever the route answers with, such as YAML or a page.
    """
    ours = as_portal_error(error)
    if ours is None:
        return None
    set_rollback()
    return _problem_response(context["request"], ours)


def _problem_response(request: HttpRequest, error: PortalError) -> JsonResponse:
    return JsonResponse(
        problem_document(request, error),
        status=error.status,
        headers=problem_headers(error),
        content_type=PROBLEM_JSON,
    )


def problem_headers(error: PortalError) -> dict[str, str]:
    headers = {}
    if error.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Bearer realm="api"'
    if wait := error.extra.get("retryAfter"):
        headers["Retry-After"] = str(wait)
    return headers


def as_portal_error(error: Exception) -> PortalError | None:
    """Returns an error of Django or REST framework as one of ours; None for a bug."""
    if isinstance(error, PortalError):
        return error
    if isinstance(error, Http404 | exceptions.NotFound):
        return NotFound()
    if isinstance(error, exceptions.AuthenticationFailed | exceptions.NotAuthenticated):
        return NotSignedIn(
            "Send a valid, unexpired token as `Authorization: Bearer …`, or sign in."
        )
    if isinstance(error, exceptions.PermissionDenied):
        return NotAllowed(str(error.detail))
    if isinstance(error, exceptions.ValidationError):
        return InvalidInput(errors=_field_problems(error.detail))
    if isinstance(error, exceptions.UnsupportedMediaType):
        return NotJson()  # Its own words repeat what was sent.
    if isinstance(error, exceptions.NotAcceptable):
        return WrongForm(_advice_on_forms(error.available_renderers or ()))
    if isinstance(error, exceptions.APIException):
        return _from_api_exception(error)
    if isinstance(error, RequestDataTooBig):
        return TooLarge(f"Send at most {settings.DATA_UPLOAD_MAX_MEMORY_SIZE // 1024} KB.")
    if isinstance(error, ValueError) and _is_unstorable_text(error):
        return InvalidInput("A text holds a character that cannot be stored, such as NUL.")
    if means_full_disk(error):
        message = (
            "A disk of the portal is full. Nothing was half-written: tell an operator, and try "
            "again when there is room."
        )
        return Unavailable(message, retryAfter=60)
    if isinstance(error, DATABASE_AWAY):
        return database_away()
    return None


def database_away() -> Unavailable:
    message = (
        "The database does not answer at this moment. "
        "Nothing was half-written: try again in a moment."
    )
    return Unavailable(message, retryAfter=2)


def _is_unstorable_text(error: ValueError) -> bool:
    """Returns whether the database driver refused a NUL or half of a surrogate pair."""
    return isinstance(error, UnicodeEncodeError) or "NUL (0x00)" in str(error)


def _field_problems(detail: Any, pointer: str = "") -> list[FieldProblem]:
    """Flattens REST framework's nested errors; a field within a list gets its index."""
    members: Iterable[tuple[Any, Any]] = ()
    if isinstance(detail, dict):
        members = detail.items()
    elif isinstance(detail, list) and any(isinstance(item, dict) for item in detail):
        members = enumerate(detail)
    else:
        messages = detail if isinstance(detail, list) else [detail]
        return [
            MemberProblem(pointer, getattr(message, "code", "invalid"), str(message))
            for message in messages
        ]
    problems = []
    for key, value in members:
        problems += _field_problems(value, f"{pointer}/{escape_name(str(key))}".strip("/"))
    return problems


def _advice_on_forms(renderers: Iterable[Any]) -> str:
    """Says in which forms a route answers."""
    types = dict.fromkeys(renderer.media_type for renderer in renderers)
    formats = dict.fromkeys(renderer.format for renderer in renderers if renderer.format)
    return (
        f"Ask for {_or_list(types)} in Accept. Leave `format` out, or send {_or_list(formats)} "
        "with an Accept that fits it."
    )


def _or_list(texts: Iterable[str]) -> str:
    return " or ".join(f"`{text}`" for text in texts)


def _from_api_exception(error: exceptions.APIException) -> PortalError:
    """Returns an error with the status of REST framework's, such as 405 or 415."""
    status = HTTPStatus(error.status_code)
    ours = PortalError(str(error.detail))
    ours.status = status.value
    ours.code = status.phrase.lower().replace(" ", "-")
    ours.title = f"{status.phrase}."
    return ours


class PortalErrors:
    """Middleware: answers the errors that a view raises."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code == HTTPStatus.METHOD_NOT_ALLOWED and not response.content:
            return _method_not_allowed(request, response["Allow"])
        return response

    def process_view(self, request: HttpRequest, *_: object) -> HttpResponse | None:
        """Refuses what the admin would take for a GET; all other views name their methods."""
        if request.path.startswith("/admin/") and request.method not in ADMIN_METHODS:
            return _method_not_allowed(request, ", ".join(ADMIN_METHODS))
        return None

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        known = (PortalError, ValueError, OSError, RequestDataTooBig, *DATABASE_AWAY)
        ours = as_portal_error(error) if isinstance(error, known) else None
        return error_response(request, ours) if ours else None


def _method_not_allowed(request: HttpRequest, allowed: str) -> HttpResponse:
    """Answers with a page what Django's decorators answer without a word."""
    if allowed == "POST":
        message = "This address takes a form only. Open the page that has the form."
    elif "POST" in allowed:
        message = "This page can be read, and takes its form. Open it in a browser."
    else:
        message = "This page can only be read. Open it in a browser."
    error = PortalError(message)
    error.status = HTTPStatus.METHOD_NOT_ALLOWED.value
    error.code = "method-not-allowed"
    error.title = "Method Not Allowed."
    response = error_response(request, error)
    response["Allow"] = allowed
    return response


def error_response(request: HttpRequest, error: PortalError) -> HttpResponse:
    """Answers an error with JSON to programs, by the address, and with a page to browsers."""
    if request.path.startswith(("/api/", "/auth/", "/health/", "/metrics")):
        return _problem_response(request, error)
    context = {
        "error": error,
        "advice": ADVICE.get(error.status, ""),
        "came_from": _came_from(request),
    }
    page = render(request, "error.html", context, status=error.status)
    # A browser would keep a 410 for good, and what is gone may be restored.
    page["Cache-Control"] = "no-store"
    for name, value in problem_headers(error).items():
        page[name] = value
    return page


# What the user does next, by status, on the page of an error below its title and detail.
ADVICE = {
    400: "Look at what was sent, and send it again from its page.",
    404: "The address may be mistyped, or what stood there is gone.",
    409: "Nothing was changed. Look at what is there already, then decide.",
    410: "If you expected it here, ask an operator.",
    412: "Nothing of yours was saved. Open the page again, look at their change, then make yours.",
    413: "Send less at once, such as a file in two parts.",
    422: "Look at what was sent, and send it again from its page.",
    429: "Trying again before that makes the wait longer.",
}


def _came_from(request: HttpRequest) -> str:
    """Returns the page of the form that led here; empty for a link, where "Back" is enough."""
    page = page_of_form(request) if request.method == "POST" else ""
    return "" if page == request.get_full_path() else page


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler400."""
    if isinstance(exception, TooManyFieldsSent):
        most = settings.DATA_UPLOAD_MAX_NUMBER_FIELDS
        return error_response(request, PortalError(f"Send at most {most} fields at once."))
    return error_response(request, PortalError())


def forbidden(request: HttpRequest, *_: object, **__: object) -> HttpResponse:
    """Django's handler403."""
    return error_response(request, NotAllowed())


def not_found(request: HttpRequest, *_: object, **__: object) -> HttpResponse:
    """Django's handler404."""
    return error_response(request, NotFound())


def csrf_failed(request: HttpRequest, **_: object) -> HttpResponse:
    """Answers a form that was opened before the last sign-in.

    Its owner gets the page back with the typed text; another user gets an error.
    """
    page, action = page_of_form(request), request.get_full_path()
    if not is_fragment(request) and unsaved_forms.keep_form(request, page=page, action=action):
        return redirect(page) if request.user.is_authenticated else redirect_to_login(page)
    message = "Nothing was saved. Open the page again and send the form from there."
    return error_response(request, FormTooOld(message))


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500: a bug, or a database that failed in a middleware."""
    error = sys.exc_info()[1]
    if isinstance(error, (OSError, *DATABASE_AWAY)) and (ours := as_portal_error(error)):
        return error_response(request, ours)
    message = "Nothing was half-written. Try again; if it stays, tell an operator the request id."
    return error_response(request, OurFault(message))
