"""Where a person is signed in: browsers and programs."""

from dataclasses import dataclass
from datetime import UTC, datetime

from django.db.models import Max, Min
from django.utils import timezone

from portal.accounts.models import RefreshToken, Session, User
from portal.accounts.sessions import DEVICE, RENEWED, STARTED, mark_of


@dataclass(frozen=True)
class SignedIn:
    """A browser or a program. `mark` names it on a page: the session's key itself would open the session."""

    mark: str
    device: str
    started_at: datetime
    last_at: datetime
    is_this_one: bool = False


def where_signed_in(user: User, *, session_key: str | None = None) -> list[SignedIn]:
    """All that can act for this user at this moment, the newest first; `session_key` is the one who asks."""
    rows = Session.objects.filter(user=user, expire_date__gt=timezone.now())
    browsers = [_browser(row, is_this_one=row.session_key == session_key) for row in rows]
    return sorted(
        [*browsers, *_programs(user)], key=lambda one: (one.is_this_one, one.last_at), reverse=True
    )


def _browser(row: Session, *, is_this_one: bool) -> SignedIn:
    told = row.get_decoded()
    last = told.get(RENEWED, 0)
    return SignedIn(
        mark_of(row.session_key),
        told.get(DEVICE, "A browser"),
        _at(told.get(STARTED, last)),
        _at(last),
        is_this_one,
    )


def _programs(user: User) -> list[SignedIn]:
    alive = RefreshToken.objects.filter(
        user=user, revoked_at=None, used_at=None, expires_at__gt=timezone.now()
    )
    families = (
        RefreshToken.objects.filter(family__in=alive.values("family")).values("family").order_by()
    )
    rows = families.annotate(first=Min("created_at"), last=Max("created_at"))
    return [
        SignedIn(str(row["family"]), "A program, by token", row["first"], row["last"])
        for row in rows
    ]


def _at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)
