"""Bearer tokens on the REST API."""

from drf_spectacular.contrib.rest_framework_simplejwt import SimpleJWTScheme
from rest_framework.request import Request
from rest_framework_simplejwt.authentication import JWTAuthentication


class BearerAuthentication(JWTAuthentication):
    """simplejwt's check of `Authorization: Bearer …`; a deleted or inactive user is refused like a bad token."""

    def authenticate_header(self, request: Request) -> str:
        return super().authenticate_header(request)


class BearerScheme(SimpleJWTScheme):
    """How the OpenAPI document names it."""

    target_class = "portal.accounts.tokens.BearerAuthentication"
    name = "bearer"
