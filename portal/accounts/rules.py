"""The rule of a route: who may use it. A route without a rule fails the tests and admits nobody."""

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from rest_framework.exceptions import MethodNotAllowed
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
    """Admits the holders of a permission, or ANYONE, or SIGNED_IN, to a browser view.

    Other users sign in first, or get 403.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not is_met(rule, request.user):
                if not request.user.is_authenticated:
                    return ask_to_sign_in(request)
                raise NotAllowed("Ask an operator for the right if you need it for your work.")
            return view(request, *args, **kwargs)

        guarded.rule = rule  # type: ignore[attr-defined]  # For the test of all routes.
        return guarded

    return decorate


def ask_to_sign_in(request: HttpRequest) -> HttpResponseBase:
    """Redirects to the sign-in page, which leads back; a posted form is kept for its owner."""
    if is_fragment(request):  # A sign-in page cannot be shown inside of another page.
        raise NotSignedIn("Your session has ended. Sign in again.")
    if request.method in {"GET", "HEAD"}:
        return redirect_to_login(request.get_full_path())
    page = page_of_form(request)
    unsaved_forms.keep_form(request, page=page, action=request.get_full_path())
    return redirect_to_login(page)


def is_met(rule: str, user: Any) -> bool:
    """Returns whether a user may use a route with this rule."""
    if rule == ANYONE:
        return True
    return user.is_authenticated and (rule == SIGNED_IN or user.has_perm(rule))


def user_of(request: HttpRequest | Request) -> User:
    """Returns the user of a request that a rule other than ANYONE has admitted."""
    return cast(User, request.user)


def needs(rule: str = "", /, **by_method: str) -> type[BasePermission]:
    """Returns a REST permission class: a rule for all methods, or one for each.

    `needs("patients.view_patient")` or `needs(GET="…", POST="…")`
    """

    class Needs(BasePermission):
        rules = by_method or {"*": rule}

        def has_permission(self, request: Request, *_: object) -> bool:
            method = {"HEAD": "GET"}.get(request.method or "", request.method or "")
            if method == "OPTIONS":
                return any(is_met(rule, request.user) for rule in self.rules.values())
            if wanted := self.rules.get(method) or self.rules.get("*"):
                return is_met(wanted, request.user)
            if any(is_met(rule, request.user) for rule in self.rules.values()):
                raise MethodNotAllowed(method)
            return False

    return Needs


class NoRule(BasePermission):
    """The default for a REST view that names no rule: it admits nobody."""

    def has_permission(self, *_: object) -> bool:
        return False
