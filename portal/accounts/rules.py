"""The rule of a route: who may use it. A route without one fails the tests, and answers nobody."""

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from portal.accounts import unsaved_forms
from portal.accounts.models import User
from portal.accounts.redirects import page_of_form
from portal.accounts.sessions import is_fragment
from portal.errors import NotAllowed, NotSignedIn

ANYONE = "anyone"
SIGNED_IN = "signed in"

View = Callable[..., HttpResponseBase]


def allow(rule: str) -> Callable[[View], View]:
    """A browser view for holders of a permission, or ANYONE, or SIGNED_IN; others sign in first, or get 403."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not is_met(rule, request.user):
                if not request.user.is_authenticated:
                    return ask_to_sign_in(request)
                raise NotAllowed("Ask an operator for the right if you need it for your work.")
            return view(request, *args, **kwargs)

        guarded.rule = rule  # type: ignore[attr-defined]
        return guarded

    return decorate


def ask_to_sign_in(request: HttpRequest) -> HttpResponseBase:
    """To the sign-in page and back. A form that was sent waits there, so that nothing typed is lost."""
    if is_fragment(request):
        raise NotSignedIn(
            "Your session has ended. Sign in again."
        )  # A sign-in page is no part of another page.
    if request.method in {"GET", "HEAD"}:
        return redirect_to_login(request.get_full_path())
    page = page_of_form(request)
    unsaved_forms.keep(request, page=page, action=request.get_full_path())
    return redirect_to_login(page)


def is_met(rule: str, user: Any) -> bool:
    """Whether this user may pass."""
    if rule == ANYONE:
        return True
    return user.is_authenticated and (rule == SIGNED_IN or user.has_perm(rule))


def user_of(request: HttpRequest | Request) -> User:
    """The user of a request that a rule has let pass; ANYONE's routes have none to speak of."""
    return cast(User, request.user)


def needs(rule: str = "", /, **by_method: str) -> type[BasePermission]:
    """A REST permission class: one rule for all methods, or one for each (`needs(GET="…", POST="…")`)."""

    class Needs(BasePermission):
        rules = by_method or {"*": rule}

        def has_permission(self, request: Request, view: object) -> bool:  # noqa: ARG002
            method = {"HEAD": "GET"}.get(request.method or "", request.method or "")
            if method == "OPTIONS":
                return any(is_met(one, request.user) for one in self.rules.values())
            wanted = self.rules.get(method) or self.rules.get("*")
            return wanted is not None and is_met(wanted, request.user)

    return Needs


class NoRule(BasePermission):
    """The default of a view that names no rule: nobody."""

    def has_permission(self, request: Request, view: object) -> bool:  # noqa: ARG002
        return False
