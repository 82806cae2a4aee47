"""What a check of a bearer token needs to know of a user, in memory and at most a second old.

Each process reads a user once a second at most, however many requests come. So a user who is
disabled, a changed role, a new password and a sign-out act within a second in all processes.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group
from django.db.models.signals import m2m_changed, post_delete, post_save
from django.dispatch import Signal
from django.utils import timezone
from rest_framework_simplejwt.utils import get_md5_hash_password

from portal.accounts.models import RefreshToken, User

FRESH_SECONDS = 1.0  # How old the memory of a user may be.
MOST_USERS = 10_000  # In memory; more begin anew, so that it stays bounded.


@dataclass(frozen=True)
class KnownUser:
    """A user whose rights are read, and what ends the tokens that were made before."""

    user: User
    password_mark: str  # Tokens carry the mark of the password that they were made with.
    ended_families: frozenset[str]  # Families of tokens that signed out a short while ago.
    read_at: float


_known: dict[int, KnownUser] = {}


def known_user(user_id: int) -> KnownUser | None:
    """Returns the user as they were at most FRESH_SECONDS ago; None if there is no such user."""
    return remembered_user(user_id) or read_user(user_id)


def remembered_user(user_id: int) -> KnownUser | None:
    """Returns the same without asking the database; None where it would have to be asked."""
    known = _known.get(user_id)
    if known is not None and time.monotonic() - known.read_at < FRESH_SECONDS:
        return known
    return None


def read_user(user_id: int) -> KnownUser | None:
    """Returns the user as they are now, and remembers it; None if there is no such user."""
    memory = _known  # What is forgotten during the read is not remembered after it.
    read = _read(user_id)
    if len(memory) >= MOST_USERS:
        memory.clear()
    if read is not None:
        memory[user_id] = read
    return read


def forget_known_users(*_: object, **__: object) -> None:
    """Makes this process read every user anew: what it changed itself acts at once."""
    global _known
    _known = {}


def changes_of_users() -> list[tuple[Signal, Any]]:
    """Returns the signals, each with its sender, of what changes a user or their rights."""
    return [
        (post_save, User),
        (post_save, Group),
        (post_delete, User),
        (post_delete, Group),
        (m2m_changed, User.groups.through),
        (m2m_changed, User.user_permissions.through),
        (m2m_changed, Group.permissions.through),
    ]


def forget_after_changes() -> None:
    """Connects the signals of changes; AppConfig.ready calls it once."""
    for signal, sender in changes_of_users():
        uid = f"accounts.forget_known_users.{sender.__name__}"
        signal.connect(forget_known_users, sender=sender, dispatch_uid=uid)


def _read(user_id: int) -> KnownUser | None:
    read_at = time.monotonic()
    user = User.objects.filter(pk=user_id).first()
    if user is None:
        return None
    user.get_all_permissions()  # Django keeps them on the user.
    return KnownUser(
        user=user,
        password_mark=get_md5_hash_password(user.password),
        ended_families=frozenset(map(str, _ended_families(user))),
        read_at=read_at,
    )


def _ended_families(user: User) -> Iterable[object]:
    """Returns the families that ended while an access token of theirs may still be good."""
    since = timezone.now() - settings.SIMPLE_JWT["ACCESS_TOKEN_LIFETIME"]
    ended = RefreshToken.objects.filter(user=user, revoked_at__gte=since)
    return ended.order_by().values_list("family", flat=True).distinct()
