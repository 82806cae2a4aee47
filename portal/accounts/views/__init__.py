"""The pages of sign-in, of the session's end, and of one's own account."""

from portal.accounts.views.authentication import sign_in, sign_out
from portal.accounts.views.profile import change_keys, change_password, end_session, profile
from portal.accounts.views.session import ended, session

__all__ = [
    "change_keys",
    "change_password",
    "end_session",
    "ended",
    "profile",
    "session",
    "sign_in",
    "sign_out",
]
