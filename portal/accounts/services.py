"""Sign-in by token, and the end of what is signed in: access tokens are short, refresh tokens are rows that rotate."""

import hashlib
import secrets
import uuid
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.contrib.auth import authenticate
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from rest_framework_simplejwt.tokens import AccessToken

from portal.accounts.models import RefreshToken, Session, User
from portal.accounts.sessions import mark_of
from portal.errors import NotSignedIn

KEPT_AFTER_END = timedelta(days=7)  # Long enough to notice a stolen token that is used late.


@dataclass(frozen=True)
class Tokens:
    """What a sign-in answers: both tokens, and the seconds that the first is good for."""

    token: str
    refresh: str
    expires_in: int


def sign_in(request: HttpRequest, *, email: str, password: str) -> Tokens:
    """Tokens for a right pair; NotSignedIn in the same words for an unknown user and a wrong password."""
    user = authenticate(request, email=email.strip().lower(), password=password)
    if not isinstance(user, User):
        raise NotSignedIn("E-mail or password is wrong.")
    return _tokens(user, family=uuid.uuid4())


def refresh(presented: str) -> Tokens:
    """A new pair for an unused token. A token used before ends its whole family: one of two holders is a thief."""
    with transaction.atomic():
        row = RefreshToken.objects.select_for_update().filter(digest=_digest(presented)).first()
        if row and row.used_at and not row.revoked_at:
            revoke_family(row.family)
        elif row and _is_good(row):
            RefreshToken.objects.filter(pk=row.pk).update(used_at=timezone.now())
            return _tokens(row.user, family=row.family)
    raise NotSignedIn("This refresh token is not valid any more. Sign in again.")


def sign_out(presented: str) -> None:
    """End the token's family; an unknown token is no error, since it is not valid either way."""
    row = RefreshToken.objects.filter(digest=_digest(presented)).first()
    if row:
        revoke_family(row.family)


def revoke_family(family: uuid.UUID) -> None:
    """No token of this chain works any more."""
    RefreshToken.objects.filter(family=family, revoked_at=None).update(revoked_at=timezone.now())


def forget_ended_tokens() -> int:
    """Delete rows that ended a week ago; the number deleted."""
    return RefreshToken.objects.filter(expires_at__lt=timezone.now() - KEPT_AFTER_END).delete()[0]


def forget_ended_sessions() -> int:
    """Delete sessions whose time is over, and what was kept in them; the number deleted."""
    return Session.objects.filter(expire_date__lt=timezone.now()).delete()[0]


def end_one(user: User, mark: str) -> None:
    """End the user's session or program of this mark; one that has ended is no error."""
    keys = [
        key for key in user.sessions.values_list("session_key", flat=True) if mark_of(key) == mark
    ]
    user.sessions.filter(session_key__in=keys).delete()
    for family in {
        one for one in user.refresh_tokens.values_list("family", flat=True) if str(one) == mark
    }:
        revoke_family(family)


def end_all(user: User, *, but: str | None = None) -> None:
    """Sign the user out of every browser and program, except the session with the key `but`."""
    user.sessions.exclude(session_key=but or "").delete()
    user.refresh_tokens.filter(revoked_at=None).update(revoked_at=timezone.now())


def set_password(user: User, password: str, *, but: str | None = None) -> None:
    """The user's new password; every other sign-in ends, since somebody else may know the old one."""
    with transaction.atomic():
        user.set_password(password)
        user.save(update_fields=["password"])
        end_all(user, but=but)


def set_single_keys(user: User, *, on: bool) -> None:
    """Whether `/` and `?` alone do something on the user's pages."""
    user.single_keys = on
    user.save(update_fields=["single_keys"])


def _tokens(user: User, *, family: uuid.UUID) -> Tokens:
    secret = secrets.token_urlsafe(48)
    RefreshToken.objects.create(
        user=user,
        family=family,
        digest=_digest(secret),
        password_mark=_password_mark(user),
        expires_at=timezone.now() + settings.REFRESH_TOKEN_LIFETIME,
    )
    access = AccessToken.for_user(user)
    return Tokens(str(access), secret, int(access.lifetime.total_seconds()))


def _is_good(row: RefreshToken) -> bool:
    unused = row.used_at is None and row.revoked_at is None and row.expires_at > timezone.now()
    return unused and row.user.is_active and row.password_mark == _password_mark(row.user)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _password_mark(user: User) -> str:
    """Changes with the password, so that a new password ends the old tokens."""
    return hashlib.sha256(user.password.encode()).hexdigest()
