"""How errors leave: application/problem+json (RFC 9457) for programs, a page in the staff's layout for browsers."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from http import HTTPStatus
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from portal.accounts import unsaved_forms
from portal.accounts.redirects import page_of_form
from portal.accounts.sessions import is_fragment
from portal.errors import (
    FieldProblem,
    FormTooOld,
    InvalidInput,
    NotAllowed,
    NotFound,
    NotSignedIn,
    OurFault,
    PortalError,
    Unavailable,
    camel,
)

PROBLEM_JSON = "application/problem+json"
DATABASE_AWAY = (
    OperationalError,
    InterfaceError,
)  # Away, full, out of connections, a deadlock: it passes.


def problem(request: HttpRequest, error: PortalError) -> dict[str, Any]:
    """The problem document of RFC 9457, with our `errors` list and the request's id."""
    body = {
        "type": f"urn:patient-portal:problem:{error.code}",
        "title": error.title,
        "status": error.status,
        "detail": error.detail or error.title,
        "requestId": getattr(request, "request_id", ""),
        **error.extra,
    }
    if error.errors:
        body["errors"] = [{**asdict(e), "pointer": f"#/{camel(e.pointer)}"} for e in error.errors]
    return body


def problem_for(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """REST framework's exception handler: every error leaves as a problem document."""
    ours = as_portal_error(error)
    if ours is None:
        return None
    set_rollback()
    return Response(
        problem(context["request"], ours),
        ours.status,
        headers=_headers(ours),
        content_type=PROBLEM_JSON,
    )


def _headers(error: PortalError) -> dict[str, str]:
    headers = (
        {"WWW-Authenticate": 'Bearer realm="api"'}
        if error.status == HTTPStatus.UNAUTHORIZED
        else {}
    )
    if wait := error.extra.get("retryAfter"):
        headers["Retry-After"] = str(wait)
    return headers


def as_portal_error(error: Exception) -> PortalError | None:
    """Django's and REST framework's errors in our family; None for a fault of ours."""
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
    if isinstance(error, exceptions.APIException):
        return _from_api_exception(error)
    if isinstance(error, DATABASE_AWAY):
        words = "The database does not answer at this moment. Nothing was half-written: try again in a moment."
        return Unavailable(words, retryAfter=2)
    return None


def _field_problems(detail: Any, at: str = "") -> list[FieldProblem]:
    if isinstance(detail, dict):
        return [
            p
            for key, value in detail.items()
            for p in _field_problems(value, f"{at}/{key}".strip("/"))
        ]
    if isinstance(detail, list) and any(isinstance(item, dict) for item in detail):
        return [
            p
            for index, value in enumerate(detail)
            for p in _field_problems(value, f"{at}/{index}".strip("/"))
        ]
    if isinstance(detail, list):
        return [FieldProblem(at, getattr(item, "code", "invalid"), str(item)) for item in detail]
    return [FieldProblem(at, getattr(detail, "code", "invalid"), str(detail))]


def _from_api_exception(error: exceptions.APIException) -> PortalError:
    status = HTTPStatus(error.status_code)
    kind = type(
        "ApiProblem",
        (PortalError,),
        {
            "status": status.value,
            "code": status.phrase.lower().replace(" ", "-"),
            "title": status.phrase + ".",
        },
    )
    return kind(str(error.detail))


class PortalErrors:
    """Answer our errors when a view raises them: JSON under /api and /auth, else a page."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        ours = as_portal_error(error) if isinstance(error, (PortalError, *DATABASE_AWAY)) else None
        return answer(request, ours) if ours else None


def answer(request: HttpRequest, error: PortalError) -> HttpResponse:
    """The error in the shape that the caller reads."""
    if request.path.startswith(("/api/", "/auth/", "/health/", "/metrics")):
        body = problem(request, error)
        return JsonResponse(
            body, status=error.status, headers=_headers(error), content_type=PROBLEM_JSON
        )
    shown = {
        "error": error,
        "advice": ADVICE.get(error.status, ""),
        "came_from": _came_from(request),
    }
    page = render(request, "error.html", shown, status=error.status)
    page["Cache-Control"] = (
        "no-store"  # A browser keeps a 410 for good, and what is gone may be restored.
    )
    for name, value in _headers(error).items():
        page[name] = value
    return page


# What a person does next, on the page of an error. Its title says what is the matter, its detail what exactly.
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
    """The page whose form led here, to open anew; nothing for a link, from which the browser goes back by itself."""
    page = page_of_form(request) if request.method == "POST" else ""
    return "" if page == request.get_full_path() else page


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001
    return answer(request, PortalError())


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001
    return answer(request, NotAllowed())


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001
    return answer(request, NotFound())


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001
    """A form of before the last sign-in comes back with its text, for the one who typed it; others are told why not."""
    page = page_of_form(request)
    if not is_fragment(request) and unsaved_forms.keep_form(
        request, page=page, action=request.get_full_path()
    ):
        return redirect(page) if request.user.is_authenticated else redirect_to_login(page)
    return answer(
        request, FormTooOld("Nothing was saved. Open the page again and send the form from there.")
    )


def server_error(request: HttpRequest) -> HttpResponse:
    """A fault of ours, or a database that failed outside of a view: while it is found out who asks."""
    error = sys.exc_info()[1]
    if isinstance(error, DATABASE_AWAY) and (ours := as_portal_error(error)):
        return answer(request, ours)
    return answer(
        request,
        OurFault(
            "Nothing was half-written. Try again; if it stays, tell an operator the request id."
        ),
    )
