"""The REST API of tokens for programs, under /auth/."""

from typing import Any

from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from portal.accounts import services
from portal.accounts.rules import ANYONE, needs
from portal.accounts.tokens import BearerAuthentication
from portal.errors import NotSignedIn
from portal.json_bodies import json_object
from portal.json_members import TextMember


class LoginBody(serializers.Serializer[Any]):
    email = TextMember(min_length=1, max_length=254)
    password = TextMember(
        min_length=1, max_length=4096, trim_whitespace=False, style={"input_type": "password"}
    )


class RefreshBody(serializers.Serializer[Any]):
    refresh = TextMember(min_length=1, max_length=200)


TOKENS = inline_serializer(
    "Tokens",
    {
        "token": serializers.CharField(),
        "refresh": serializers.CharField(),
        "expiresIn": serializers.IntegerField(),
    },
)


class TokenView(APIView):
    """A view without sessions, since programs ask for tokens."""

    authentication_classes = ()
    permission_classes = (needs(ANYONE),)

    def validated_body(
        self, request: Request, serializer: type[serializers.Serializer[Any]]
    ) -> dict[str, Any]:
        body = serializer(data=json_object(request))
        body.is_valid(raise_exception=True)
        return body.validated_data


def token_response(tokens: services.Tokens) -> Response:
    body = {"token": tokens.token, "refresh": tokens.refresh, "expiresIn": tokens.expires_in}
    return Response(body, headers={"Cache-Control": "no-store"})


class Login(TokenView):
    @extend_schema(request=LoginBody, responses={200: TOKENS}, summary="Sign in")
    def post(self, request: Request) -> Response:
        """Answers an access token, and a refresh token that works once; 401 on any wrong pair."""
        body = self.validated_body(request, LoginBody)
        return token_response(
            services.sign_in(request._request, email=body["email"], password=body["password"])
        )

    def get_serializer(self, *args: Any, **kwargs: Any) -> LoginBody:
        """Gives the browsable API its form."""
        return LoginBody(*args, **kwargs)


class Refresh(TokenView):
    @extend_schema(request=RefreshBody, responses={200: TOKENS}, summary="Exchange a refresh token")
    def post(self, request: Request) -> Response:
        """Answers a new pair; a refresh token used twice ends every token of its family."""
        return token_response(
            services.refresh(self.validated_body(request, RefreshBody)["refresh"])
        )


class Logout(TokenView):
    @extend_schema(request=RefreshBody, responses={204: None}, summary="Sign out")
    def post(self, request: Request) -> Response:
        """Ends the refresh token's family, and its access tokens within a second."""
        services.sign_out(self.validated_body(request, RefreshBody)["refresh"])
        return Response(status=204)


class Validate(APIView):
    authentication_classes = (BearerAuthentication,)
    permission_classes = (needs(ANYONE),)

    @extend_schema(responses={200: None}, summary="Check a token")
    def get(self, request: Request) -> Response:
        """200 for a good bearer token, 401 for any other."""
        if not request.user.is_authenticated:
            raise NotSignedIn("Send a valid, unexpired token as `Authorization: Bearer …`.")
        return Response()
