"""Bearer tokens on the REST API."""

from drf_spectacular.contrib.rest_framework_simplejwt import SimpleJWTScheme
from rest_framework.request import Request
from rest_framework_simplejwt.authentication import JWTAuthentication


class BearerAuthentication(JWTAuthentication):
    """simplejwt's check of `Authorization: Bearer …`.

    It refuses a deleted or inactive user like a bad token.
    """

    def authenticate_header(self, request: Request) -> str:
        return super().authenticate_header(request)


class BearerScheme(SimpleJWTScheme):
    """The name of this authentication in the OpenAPI document."""

    target_class = "portal.accounts.tokens.BearerAuthentication"
    name = "bearer"
