"""Lockouts after wrong passwords: whom they hit, what they answer, and how they are lifted."""

from collections.abc import Mapping, Sequence
from ipaddress import IPv6Address, ip_network
from typing import Any

import structlog
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.auth import authenticate
from django.db.models import Case, QuerySet, Sum, When
from django.db.models.functions import Lower
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from portal.accounts.email_address import normalise_email
from portal.accounts.models import User
from portal.errors import TooMany
from portal.problems import error_response
from portal.proxies import read_address

IPV6_BITS = 64  # Of an address of IPv6, that a computer does not choose itself.
LONGEST_TRIED = 255  # Characters of axes' column; a letter may become eighteen by NFKC.
log = structlog.get_logger("portal.accounts")


def check_password(request: HttpRequest, *, email: str, password: str) -> User | None:
    """Returns the user whose pair this is. Wrong pairs count for the lockout.

    It is the one door for a password: the sign-in page, which the admin uses too, `/auth/login` and
    the change of the own password.
    """
    user = authenticate(request, email=normalise_email(email), password=password)
    return user if isinstance(user, User) else None


def client_of(request: HttpRequest) -> str | None:
    """Returns the address by which axes counts the computer.

    That of IPv6 is its network of 64 bits: a computer takes any address there, as often as it
    likes.
    """
    address = read_address(request.META.get("REMOTE_ADDR", ""))
    if isinstance(address, IPv6Address):
        return str(ip_network((address, IPV6_BITS), strict=False).network_address)
    return str(address) if address else None


def tried_email(_request: HttpRequest, credentials: Mapping[str, Any] | None) -> str:
    """Returns the address by which axes counts, whatever the name of the field it came in."""
    given = credentials or {}
    address = normalise_email(str(given.get("email") or given.get("username") or ""))
    return address[:LONGEST_TRIED]


def locked_emails() -> set[str]:
    """Returns the e-mail addresses, in lower case, that at least one computer may not try now."""
    recent = AccessAttempt.objects.filter(
        attempt_time__gt=timezone.now() - settings.AXES_COOLOFF_TIME
    )
    tried = recent.order_by().values("ip_address", name=Lower("username"))
    failed = tried.annotate(failures=Sum("failures_since_start"))
    return set(
        failed.filter(failures__gte=settings.AXES_FAILURE_LIMIT).values_list("name", flat=True)
    )


def users_locked_out() -> QuerySet[User]:
    """Returns the users who are locked out at one computer at least."""
    return User.objects.filter(email__in=locked_emails())


def with_lockout(users: QuerySet[User]) -> QuerySet[User]:
    """Adds `has_lock` to each user: whether they are locked out at one computer at least."""
    emails = [*locked_emails(), ""]  # An empty list would be no condition in SQL.
    return users.annotate(has_lock=Case(When(email__in=emails, then=True), default=False))


def unlock_user(user: User, *, by: User) -> int:
    """Deletes the wrong passwords tried for this user at any computer; returns how many rows."""
    count = AccessAttempt.objects.filter(username__iexact=user.email).delete()[0]
    log.info("user_unlocked", user=user.pk, attempts=count, actor=by.pk)
    return count


def forget_attempts(attempt_ids: Sequence[int], *, by: User) -> int:
    """Deletes these wrong passwords, also those for unknown names; returns how many rows."""
    count = AccessAttempt.objects.filter(pk__in=attempt_ids).delete()[0]
    log.info("attempts_forgotten", attempts=count, actor=by.pk)
    return count


def refuse_sign_in(request: HttpRequest, *_: Any, **__: Any) -> HttpResponse:
    """Answers 429 with the seconds to wait, the same for known and unknown users."""
    wait = int(settings.AXES_COOLOFF_TIME.total_seconds())
    message = (
        f"Too many wrong passwords. Wait {wait // 60} minutes, or ask an operator to unlock you."
    )
    return error_response(request, TooMany(message, retryAfter=wait))
