"""A session lasts as long as somebody works: pages that ask by themselves do not keep it alive."""

import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

EVERY_SECONDS = 60
RENEWED = "renewed"


class StayWhileWorking:
    """Counts SESSION_COOKIE_AGE from the last thing that a person did, at most one write a minute."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not _is_poll(request) and request.user.is_authenticated and request.session.session_key:
            now = int(time.time())
            if now - request.session.get(RENEWED, 0) >= EVERY_SECONDS:
                request.session[RENEWED] = now
        return response


def _is_poll(request: HttpRequest) -> bool:
    """Asked by a page on its own: htmx says so, and so does the dashboard's script."""
    return "HX-Request" in request.headers or "X-Poll" in request.headers
