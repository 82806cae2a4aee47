"""Ends every sign-in of some users, for operators."""

from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from portal.accounts.models import User
from portal.accounts.selectors import sign_ins_of
from portal.accounts.services import end_all_sign_ins

log = structlog.get_logger("portal.accounts")


@dataclass(frozen=True)
class RevokedAccess:
    """The number of users, and of the browsers and programs in which they were signed in."""

    user_count: int
    sign_in_count: int


def revoke_access(users: Sequence[User], *, by: User) -> RevokedAccess:
    """Signs these users out everywhere.

    Access tokens of programs end within a second, see `known_users`.
    """
    sign_in_count = 0
    for user in users:
        sign_in_count += len(sign_ins_of(user))
        end_all_sign_ins(user)
    user_ids = [user.pk for user in users]
    log.info("access_ended", users=user_ids, places=sign_in_count, actor=by.pk)
    return RevokedAccess(len(users), sign_in_count)
