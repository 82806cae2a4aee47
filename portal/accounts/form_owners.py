"""Whose form it is that comes in after the session has ended.

Every sign-in gives the browser a new secret against forged forms, and each form carries it. A signed cookie remembers
which of the last secrets was whose, so that a form still tells who opened it when nobody is signed in any more, or when
somebody else is: on a shared PC nobody may get what another one typed. Nobody outside can know such a secret, so a form
that names its owner was not forged.
"""

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CSRF_TOKEN_LENGTH, _unmask_cipher_token  # type: ignore[attr-defined]
from django.utils.crypto import salted_hmac

COOKIE = "desk"
SALT = "accounts.desk"
REMEMBERED = 4
TOKEN_FIELD = "csrfmiddlewaretoken"  # noqa: S105 - the name of a field.


def owner_of_form(request: HttpRequest) -> int | None:
    """The id of the user who was signed in when this form was opened; None where that cannot be told."""
    token = request.POST.get(TOKEN_FIELD, "")
    if len(token) != CSRF_TOKEN_LENGTH or not token.isalnum():
        return None
    return dict(_remembered(request)).get(_mark(_unmask_cipher_token(token)))


def remember_owner(request: HttpRequest, response: HttpResponse) -> None:
    """Let the forms of this sign-in tell later whose they were."""
    secret = request.META.get("CSRF_COOKIE")
    known = _remembered(request)
    if not secret or [_mark(secret), request.user.pk] in known:
        return
    value = signing.dumps([*known, [_mark(secret), request.user.pk]][-REMEMBERED:], salt=SALT)
    response.set_cookie(
        COOKIE,
        value,
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
        path="/",
    )


def forget_owners(response: HttpResponse) -> None:
    """Whoever signs out leaves nothing behind."""
    response.delete_cookie(COOKIE, path="/", samesite="Lax")


def _remembered(request: HttpRequest) -> list[list]:
    try:
        return signing.loads(request.COOKIES.get(COOKIE, ""), salt=SALT)
    except signing.BadSignature:
        return []


def _mark(secret: str) -> str:
    return salted_hmac(SALT, secret).hexdigest()[:24]
