"""Writes sign-ins: issues, rotates and revokes tokens, ends sessions, sets passwords.

Access tokens live for minutes. A refresh token is a row that works once and is replaced when used.
"""

import hashlib
import secrets
import uuid
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from rest_framework_simplejwt.tokens import AccessToken

from portal.accounts.known_users import forget_known_users
from portal.accounts.lockouts import check_password
from portal.accounts.models import RefreshToken, Session, User
from portal.accounts.sessions import session_mark
from portal.accounts.tokens import FAMILY
from portal.errors import NotSignedIn

KEPT_AFTER_END = timedelta(days=7)  # So a stolen token that is used late is still recognised.


@dataclass(frozen=True)
class Tokens:
    """Access token, refresh token, and the seconds until the access token expires."""

    token: str
    refresh: str
    expires_in: int


def sign_in(request: HttpRequest, *, email: str, password: str) -> Tokens:
    """Issues tokens. NotSignedIn, in the same words for an unknown user and a wrong password."""
    user = check_password(request, email=email, password=password)
    if user is None:
        raise NotSignedIn("E-mail or password is wrong.")
    return _issue_tokens(user, family=uuid.uuid4())


def refresh(presented: str) -> Tokens:
    """Exchanges an unused refresh token for new tokens. NotSignedIn.

    A token that was used before revokes its whole family: one of its two holders is a thief.
    """
    with transaction.atomic():
        row = RefreshToken.objects.select_for_update().filter(digest=_digest(presented)).first()
        if row and row.used_at and not row.revoked_at:
            revoke_family(row.family)
        elif row and _is_good(row):
            RefreshToken.objects.filter(pk=row.pk).update(used_at=timezone.now())
            return _issue_tokens(row.user, family=row.family)
    raise NotSignedIn("This refresh token is not valid any more. Sign in again.")


def sign_out(presented: str) -> None:
    """Revokes the token's family; an unknown token is no error, since it is not valid anyway."""
    row = RefreshToken.objects.filter(digest=_digest(presented)).first()
    if row:
        revoke_family(row.family)


def revoke_family(family: uuid.UUID) -> None:
    """Makes every token of this chain invalid, access tokens within a second."""
    RefreshToken.objects.filter(family=family, revoked_at=None).update(revoked_at=timezone.now())
    forget_known_users()


def forget_ended_tokens() -> int:
    """Deletes the tokens that expired KEPT_AFTER_END ago; returns how many."""
    return RefreshToken.objects.filter(expires_at__lt=timezone.now() - KEPT_AFTER_END).delete()[0]


def forget_ended_sessions() -> int:
    """Deletes the sessions that have expired; returns how many."""
    return Session.objects.filter(expire_date__lt=timezone.now()).delete()[0]


def end_sign_in(user: User, mark: str) -> None:
    """Ends the browser's session or the program's tokens with this mark, if there are any."""
    for session_key in user.sessions.values_list("session_key", flat=True):
        if session_mark(session_key) == mark:
            user.sessions.filter(session_key=session_key).delete()
    for family in user.refresh_tokens.values_list("family", flat=True).order_by().distinct():
        if str(family) == mark:
            revoke_family(family)


def end_all_sign_ins(user: User, *, but: str | None = None) -> None:
    """Signs the user out of every browser and program except the session with the key `but`."""
    user.sessions.exclude(session_key=but or "").delete()
    user.refresh_tokens.filter(revoked_at=None).update(revoked_at=timezone.now())
    forget_known_users()


def set_password(user: User, password: str, *, but: str | None = None) -> None:
    """Sets the password and ends every other sign-in, since a stranger may know the old one."""
    user.set_password(password)  # May wait for its turn, so it is outside of the transaction.
    with transaction.atomic():
        user.save(update_fields=["password"])
        end_all_sign_ins(user, but=but)


def set_single_keys(user: User, *, on: bool) -> None:
    """Switches the shortcuts `/` and `?` on the user's pages on or off."""
    user.single_keys = on
    user.save(update_fields=["single_keys"])


def _issue_tokens(user: User, *, family: uuid.UUID) -> Tokens:
    secret = secrets.token_urlsafe(48)
    RefreshToken.objects.create(
        user=user,
        family=family,
        digest=_digest(secret),
        password_mark=_password_mark(user),
        expires_at=timezone.now() + settings.REFRESH_TOKEN_LIFETIME,
    )
    access = AccessToken.for_user(user)
    access[FAMILY] = str(family)
    return Tokens(str(access), secret, int(access.lifetime.total_seconds()))


def _is_good(row: RefreshToken) -> bool:
    unused = row.used_at is None and row.revoked_at is None and row.expires_at > timezone.now()
    return unused and row.user.is_active and row.password_mark == _password_mark(row.user)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _password_mark(user: User) -> str:
    """Returns a digest that changes with the password, so a new password ends the old tokens."""
    return hashlib.sha256(user.password.encode()).hexdigest()
