"""Sign-in by token: access tokens are signed and short, refresh tokens are rows that rotate."""

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

from portal.accounts.models import RefreshToken, User
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
