"""Bearer tokens on the REST API."""

import copy
import time
from typing import Any, cast

from django.http import HttpRequest
from drf_spectacular.contrib.rest_framework_simplejwt import SimpleJWTScheme
from rest_framework.exceptions import APIException, AuthenticationFailed
from rest_framework.request import Request
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.exceptions import InvalidToken
from rest_framework_simplejwt.settings import api_settings

from portal.accounts.known_users import KnownUser, known_user
from portal.accounts.models import User

FAMILY = "family"  # The claim that names the sign-in which a token belongs to.
MOST_TOKENS = 10_000  # Checked tokens in memory; more begin anew, so that it stays bounded.

_checked: dict[bytes, Any] = {}


class BearerAuthentication(JWTAuthentication):
    """simplejwt's check of `Authorization: Bearer …`, by what the portal knows of the user.

    It refuses the token of a user who is deleted or disabled, has a new password, or signed out.
    """

    def get_validated_token(self, raw_token: bytes) -> Any:
        """Returns the token; its signature is checked once and its expiry each time."""
        token = _checked.get(raw_token)
        if token is not None and token["exp"] > time.time():
            return token
        token = super().get_validated_token(raw_token)
        if len(_checked) >= MOST_TOKENS:
            _checked.clear()
        _checked[raw_token] = token
        return token

    def get_user(self, validated_token: Any) -> Any:
        """Returns a user of the caller's own, whose rights are read already."""
        try:
            known = known_user(user_id_of(validated_token))
        except (KeyError, ValueError, TypeError, OverflowError) as error:
            raise InvalidToken("The token names no user.") from error
        if known is None:
            raise AuthenticationFailed("There is no such user.")
        if refusal := refusal_of(validated_token, known):
            raise AuthenticationFailed(refusal)
        return copy.copy(known.user)

    def authenticate_header(self, request: Request) -> str:
        return super().authenticate_header(request)


def user_id_of(token: Any) -> int:
    """Returns the user that the token names. Raises KeyError, ValueError, TypeError for none."""
    return int(token[api_settings.USER_ID_CLAIM])


def refusal_of(token: Any, known: KnownUser) -> str:
    """Returns why the token of this user is good no more; nothing while it is."""
    if not known.user.is_active:
        return "The user may not sign in."
    if token.get(api_settings.REVOKE_TOKEN_CLAIM) != known.password_mark:
        return "The user's password has been changed."
    if token.get(FAMILY) in known.ended_families:
        return "This sign-in has ended."
    return ""


class BearerScheme(SimpleJWTScheme):
    """The name of this authentication in the OpenAPI document."""

    target_class = "portal.accounts.tokens.BearerAuthentication"
    name = "bearer"


def bearer_of(request: HttpRequest) -> User | None:
    """Returns the user of the request's token; None if it has none, or its token is not valid."""
    try:
        # simplejwt reads nothing but META, which both kinds of request have.
        found = BearerAuthentication().authenticate(cast(Request, request))
    except APIException:
        return None
    return cast(User, found[0]) if found else None


def checked_token(request: HttpRequest) -> Any | None:
    """Returns the request's token if its signature has been checked before; it may have expired."""
    scheme, _, raw_token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    return _checked.get(raw_token.encode()) if scheme == "Bearer" else None
