"""A session lasts as long as somebody works: pages that ask by themselves do not keep it alive."""

import hashlib
import time
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from portal.accounts.devices import device_of
from portal.accounts.form_owners import remember_owner

EVERY_SECONDS = 60
RENEWED, STARTED, DEVICE = "renewed", "started", "device"


class StayWhileWorking:
    """Counts SESSION_COOKIE_AGE from the last thing that a person did, at most one write a minute."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if (
            not is_fragment(request)
            and request.user.is_authenticated
            and request.session.session_key
        ):
            if time.time() - request.session.get(RENEWED, 0) >= EVERY_SECONDS:
                renew(request)
            remember_owner(request, response)
        return response


def renew(request: HttpRequest) -> None:
    """Somebody is at work: the session's time begins anew."""
    now = int(time.time())
    request.session[RENEWED] = now
    if STARTED not in request.session:
        request.session[STARTED], request.session[DEVICE] = (
            now,
            device_of(request.headers.get("User-Agent", "")),
        )


def seconds_left(request: HttpRequest) -> int:
    """For how long the session lasts at least if nobody does anything; 0 where nobody is signed in."""
    if not request.user.is_authenticated:
        return 0
    idle = time.time() - request.session.get(RENEWED, 0)
    is_about_to_be_renewed = idle >= EVERY_SECONDS and not is_fragment(request)
    return max(0, settings.SESSION_COOKIE_AGE - (0 if is_about_to_be_renewed else int(idle)))


def mark_of(session_key: str) -> str:
    """Names a session on a page and in a form, where its key would open it."""
    return hashlib.sha256(session_key.encode()).hexdigest()[:32]


def is_fragment(request: HttpRequest) -> bool:
    """Asked for by a page on its own: htmx says so, and so do our scripts."""
    return "HX-Request" in request.headers or "X-Poll" in request.headers
