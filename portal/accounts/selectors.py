"""Reads where a user is signed in, browsers and programs alike."""

from dataclasses import dataclass
from datetime import UTC, datetime

from django.db.models import Exists, Max, Min, OuterRef, QuerySet
from django.utils import timezone

from portal.accounts.models import RefreshToken, Session, User
from portal.accounts.sessions import DEVICE, RENEWED, STARTED, session_mark


@dataclass(frozen=True)
class SignIn:
    """A browser or a program in which a user is signed in.

    `mark` names it on a page, where a session's key would open the session.
    """

    mark: str
    device: str
    started_at: datetime
    last_at: datetime
    is_current: bool = False


def sign_ins_of(user: User, *, session_key: str | None = None) -> list[SignIn]:
    """Returns all sign-ins of a user, the one with `session_key` first, then the newest."""
    rows = Session.objects.filter(user=user, expire_date__gt=timezone.now())
    browsers = [_browser(row, is_current=row.session_key == session_key) for row in rows]
    return sorted(
        [*browsers, *_programs(user)],
        key=lambda sign_in: (sign_in.is_current, sign_in.last_at),
        reverse=True,
    )


def users_by_token() -> QuerySet[User]:
    """Returns the users who hold a valid refresh token: programs, and users who try the API."""
    return User.objects.filter(Exists(_valid_tokens().filter(user=OuterRef("pk"))))


def _valid_tokens() -> QuerySet[RefreshToken]:
    return RefreshToken.objects.filter(revoked_at=None, used_at=None, expires_at__gt=timezone.now())


def _browser(row: Session, *, is_current: bool) -> SignIn:
    data = row.get_decoded()
    last = data.get(RENEWED, 0)
    return SignIn(
        mark=session_mark(row.session_key),
        device=data.get(DEVICE, "A browser"),
        started_at=_moment(data.get(STARTED, last)),
        last_at=_moment(last),
        is_current=is_current,
    )


def _programs(user: User) -> list[SignIn]:
    families = _valid_tokens().filter(user=user).values("family")
    tokens = RefreshToken.objects.filter(family__in=families).values("family").order_by()
    rows = tokens.annotate(first=Min("created_at"), last=Max("created_at"))
    return [
        SignIn(str(row["family"]), "A program, by token", row["first"], row["last"]) for row in rows
    ]


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)
