"""The pages to sign in and out."""

from django.conf import settings
from django.contrib.auth import login, logout
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from portal.accounts import unsaved_forms
from portal.accounts.form_owners import forget_owners
from portal.accounts.forms import SignInForm
from portal.accounts.redirects import local_address
from portal.accounts.rules import ANYONE, allow
from portal.errors import NotAllowed


@allow(ANYONE)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("password")
def sign_in(request: HttpRequest) -> HttpResponse:
    """Asks for e-mail and password, then goes on to the page that the user wanted."""
    if request.user.is_authenticated:
        return redirect(_next(request))
    form = SignInForm(request, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid() and form.user:
        login(request, form.user)
        return redirect(_next(request))
    wanted = request.POST.get("next", request.GET.get("next", ""))
    page = {"form": form, "next": wanted, "is_text_kept": unsaved_forms.has_kept_form(request)}
    return render(request, "accounts/sign_in.html", page)


@allow(ANYONE)
@never_cache
@require_safe
def sign_in_to_admin(request: HttpRequest) -> HttpResponse:
    """Leads from the admin to the sign-in page; the admin has no form of its own.

    Raises NotAllowed for a user who is signed in and has no right to open the admin.
    """
    if request.user.is_authenticated:
        raise NotAllowed("Ask an operator for the right if you need it for your work.")
    return redirect_to_login(local_address(request, request.GET.get("next", "")) or "/admin/")


@allow(ANYONE)
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """Ends the session. Signing out twice is no error."""
    logout(request)
    response = redirect(settings.LOGIN_URL)
    forget_owners(response)
    return response


def _next(request: HttpRequest) -> str:
    """Returns the wanted address if it leads to this portal, else the start page."""
    wanted = request.POST.get("next", request.GET.get("next", ""))
    return local_address(request, wanted) or resolve_url(settings.LOGIN_REDIRECT_URL)
