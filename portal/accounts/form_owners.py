"""The user who had opened a form that arrives after the session's end.

Every sign-in gives the browser a new CSRF secret, and each form carries it. A signed cookie
remembers which of the last secrets belonged to which user. So a form still names its owner when
nobody is signed in any more, or when another user is: on a shared PC no user may get what another
one typed. Nobody outside can know such a secret, so a form that names its owner was not forged.
"""

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.middleware import csrf
from django.utils.crypto import salted_hmac

COOKIE = "desk"
SALT = "accounts.desk"
MAX_REMEMBERED = 4  # Sign-ins that the cookie knows; older forms have no owner.
TOKEN_FIELD = "csrfmiddlewaretoken"  # noqa: S105 - the name of a field.


def owner_of_form(request: HttpRequest) -> int | None:
    """Returns the id of the user who opened the posted form; None where the cookie cannot tell."""
    token = request.POST.get(TOKEN_FIELD, "")
    if len(token) != csrf.CSRF_TOKEN_LENGTH or not token.isalnum():
        return None
    secret = csrf._unmask_cipher_token(token)  # type: ignore[attr-defined]  # It is private.
    return dict(_remembered_owners(request)).get(_secret_digest(secret))


def remember_owner(request: HttpRequest, response: HttpResponse) -> None:
    """Adds the current sign-in to the cookie, so that its forms have an owner later."""
    secret = request.META.get("CSRF_COOKIE")
    if not secret:
        return
    owners, current = _remembered_owners(request), [_secret_digest(secret), request.user.pk]
    if current in owners:
        return
    response.set_cookie(
        COOKIE,
        signing.dumps([*owners, current][-MAX_REMEMBERED:], salt=SALT),
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
        path="/",
    )


def forget_owners(response: HttpResponse) -> None:
    """Deletes the cookie at sign-out."""
    response.delete_cookie(COOKIE, path="/", samesite="Lax")


def _remembered_owners(request: HttpRequest) -> list[list]:
    """Returns pairs of a secret's digest and a user's id, the oldest first."""
    try:
        return signing.loads(request.COOKIES.get(COOKIE, ""), salt=SALT)
    except signing.BadSignature:
        return []


def _secret_digest(secret: str) -> str:
    return salted_hmac(SALT, secret).hexdigest()[:24]
