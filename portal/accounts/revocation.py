"""What operators do about somebody's access: end it everywhere, or give it back after wrong passwords."""

from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from axes.models import AccessAttempt

from portal.accounts.models import User
from portal.accounts.selectors import where_signed_in
from portal.accounts.services import end_all

log = structlog.get_logger("portal.accounts")


@dataclass(frozen=True)
class Ended:
    """Of how many people the access was ended, and in how many browsers and programs together."""

    users: int
    places: int


def end_access(users: Sequence[User], *, by: User) -> Ended:
    """Sign these people out everywhere. Access tokens run out by themselves, within ACCESS_TOKEN_LIFETIME."""
    places = 0
    for user in users:
        places += len(where_signed_in(user))
        end_all(user)
    log.info("access_ended", users=[user.pk for user in users], places=places, actor=by.pk)
    return Ended(len(users), places)


def unlock(user: User, *, by: User) -> int:
    """Forget the wrong passwords that were tried for this user, at every computer; how many rows told of them."""
    count = AccessAttempt.objects.filter(username__iexact=user.email).delete()[0]
    log.info("user_unlocked", user=user.pk, attempts=count, actor=by.pk)
    return count


def forget_attempts(attempt_ids: Sequence[int], *, by: User) -> int:
    """The same for single rows, which may name nobody; how many there were."""
    count = AccessAttempt.objects.filter(pk__in=attempt_ids).delete()[0]
    log.info("attempts_forgotten", attempts=count, actor=by.pk)
    return count
