"""What may be read of sign-ins: who is locked out, and who signs in as a program."""

from typing import Any

from axes.models import AccessAttempt
from django.conf import settings
from django.db.models import Case, Exists, OuterRef, QuerySet, Sum, When
from django.db.models.functions import Lower
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from portal.accounts.models import RefreshToken, User
from portal.errors import TooMany
from portal.problems import answer


def locked_emails() -> set[str]:
    """The names typed, in lower case, that some computer may not try any more for the moment."""
    recent = AccessAttempt.objects.filter(
        attempt_time__gt=timezone.now() - settings.AXES_COOLOFF_TIME
    )
    tried = recent.order_by().values("ip_address", name=Lower("username"))
    failed = tried.annotate(failures=Sum("failures_since_start"))
    return set(
        failed.filter(failures__gte=settings.AXES_FAILURE_LIMIT).values_list("name", flat=True)
    )


def users_locked_out() -> QuerySet[User]:
    """Users who are locked out at one computer at least."""
    return User.objects.filter(email__in=locked_emails())


def with_lock(users: QuerySet[User]) -> QuerySet[User]:
    """Each of these users with `has_lock`: whether they are locked out at one computer at least."""
    return users.annotate(
        has_lock=Case(When(email__in=[*locked_emails(), ""], then=True), default=False)
    )


def users_by_token() -> QuerySet[User]:
    """Users who hold a refresh token that works: client programs, and who tries the API out."""
    live = RefreshToken.objects.filter(
        user=OuterRef("pk"), revoked_at=None, used_at=None, expires_at__gt=timezone.now()
    )
    return User.objects.filter(Exists(live))


def too_many_attempts(request: HttpRequest, *_: Any, **__: Any) -> HttpResponse:
    """429 with the wait, the same for known and unknown users."""
    wait = int(settings.AXES_COOLOFF_TIME.total_seconds())
    return answer(
        request,
        TooMany(
            f"Too many wrong passwords. Wait {wait // 60} minutes, or ask an operator to unlock you.",
            retryAfter=wait,
        ),
    )
