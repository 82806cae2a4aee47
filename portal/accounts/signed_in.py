"""Django's middleware tells who is signed in; here it takes the user that came with the session."""

from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare
from django.utils.functional import SimpleLazyObject

from portal.accounts.models import User


class SignedIn(AuthenticationMiddleware):
    """Gives the request its user, when something first asks for it."""

    def process_request(self, request: HttpRequest) -> None:
        super().process_request(request)
        request.user = SimpleLazyObject(lambda: _user_of(request))  # type: ignore[assignment]


def _user_of(request: HttpRequest) -> Any:
    """Returns what Django's own look-up would; Django decides where anything is unusual."""
    return _owner_in_good_standing(request.session) or get_user(request)


def _owner_in_good_standing(session: Any) -> User | None:
    """Returns the session's user if they may sign in and have the password that they had then."""
    backend = session.get(BACKEND_SESSION_KEY)  # Loads the session.
    user: User | None = session.owner
    if user is None or not user.is_active or str(user.pk) != session.get(SESSION_KEY):
        return None
    if backend not in settings.AUTHENTICATION_BACKENDS:
        return None
    mark = session.get(HASH_SESSION_KEY, "")
    return user if constant_time_compare(mark, user.get_session_auth_hash()) else None
