"""The middleware that browsers need, as one: requests of programs pass it by.

A program sends a bearer token and no cookie that counts, and reads no page: sessions, messages and
CSRF tokens are nothing to it, and cost more than the answer.
"""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.handlers.exception import convert_exception_to_response
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.module_loading import import_string

PROGRAM_ROUTES = ("/api/", "/auth/")
PAGE_BESIDE_THEM = "/api/docs"
# Of an answer that no browser shows: it loads nothing, and nothing shows it in a frame.
PROGRAM_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def is_program(request: HttpRequest) -> bool:
    """Returns whether a program asks, with a bearer token, for an answer in JSON."""
    return (
        request.path_info.startswith(PROGRAM_ROUTES)
        and request.path_info != PAGE_BESIDE_THEM
        and request.META.get("HTTP_AUTHORIZATION", "").startswith("Bearer ")
        and "text/html" not in request.META.get("HTTP_ACCEPT", "")
    )


class BrowserMiddleware:
    """Runs BROWSER_MIDDLEWARE, in its order, around the requests of browsers alone."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.for_programs = get_response
        self.members: list[Any] = []
        handler: Any = get_response
        for path in reversed(settings.BROWSER_MIDDLEWARE):
            member = import_string(path)(handler)
            self.members.insert(0, member)
            handler = convert_exception_to_response(member)
        self.for_browsers = handler

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not is_program(request):
            return self.for_browsers(request)
        response = self.for_programs(request)
        for name, value in PROGRAM_HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    def process_view(self, request: HttpRequest, *view: Any) -> HttpResponseBase | None:
        """Asks each member before the view, until one answers in its place."""
        if is_program(request):
            return None
        for member in self.members:
            if hasattr(member, "process_view") and (answer := member.process_view(request, *view)):
                return answer
        return None
