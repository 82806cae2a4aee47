"""Bearer tokens on the REST API."""

from typing import Any

from drf_spectacular.contrib.rest_framework_simplejwt import SimpleJWTScheme
from rest_framework.request import Request
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.exceptions import InvalidToken


class BearerAuthentication(JWTAuthentication):
    """simplejwt's check of `Authorization: Bearer …`.

    It refuses a deleted or inactive user like a bad token.
    """

    def get_user(self, validated_token: Any) -> Any:
        try:
            return super().get_user(validated_token)
        except (ValueError, TypeError, OverflowError) as error:  # Its user id is no number.
            raise InvalidToken("The token names no user.") from error

    def authenticate_header(self, request: Request) -> str:
        return super().authenticate_header(request)


class BearerScheme(SimpleJWTScheme):
    """The name of this authentication in the OpenAPI document."""

    target_class = "portal.accounts.tokens.BearerAuthentication"
    name = "bearer"
