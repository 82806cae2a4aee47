"""The lifetime of a session. It counts from the user's last action, not a page's own requests."""

import hashlib
import time
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from portal.accounts.devices import device_of
from portal.accounts.form_owners import remember_owner

RENEWAL_SECONDS = 60  # A session is written at most this often.
RENEWED, STARTED, DEVICE = "renewed", "started", "device"  # Keys in the session.


class SessionRenewal:
    """Middleware: counts SESSION_COOKIE_AGE from the last thing that the user did."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        is_signed_in = request.user.is_authenticated and request.session.session_key
        if is_signed_in and not is_fragment(request):
            if time.time() - request.session.get(RENEWED, 0) >= RENEWAL_SECONDS:
                renew_session(request)
            remember_owner(request, response)
        return response


def renew_session(request: HttpRequest) -> None:
    """Starts the session's time anew, because the user is at work."""
    now = int(time.time())
    request.session[RENEWED] = now
    if STARTED not in request.session:
        request.session[STARTED] = now
        request.session[DEVICE] = device_of(request.headers.get("User-Agent", ""))


def seconds_left(request: HttpRequest) -> int:
    """Returns how long the session lasts if the user does nothing; 0 where nobody is signed in."""
    if not request.user.is_authenticated:
        return 0
    idle = time.time() - request.session.get(RENEWED, 0)
    is_about_to_be_renewed = idle >= RENEWAL_SECONDS and not is_fragment(request)
    return max(0, settings.SESSION_COOKIE_AGE - (0 if is_about_to_be_renewed else int(idle)))


def session_mark(session_key: str) -> str:
    """Returns a name of the session for pages and forms; the key itself would open the session."""
    return hashlib.sha256(session_key.encode()).hexdigest()[:32]


def is_fragment(request: HttpRequest) -> bool:
    """Returns whether a page's script sent this request by itself (htmx, or our polling)."""
    return "HX-Request" in request.headers or "X-Poll" in request.headers
