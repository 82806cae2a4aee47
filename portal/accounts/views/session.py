"""The seconds that the session still lasts, and its end when a page's time has run out."""

from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from portal.accounts import unsaved_forms
from portal.accounts.redirects import local_address
from portal.accounts.rules import ANYONE, allow
from portal.accounts.sessions import renew_session, seconds_left


@allow(ANYONE)
@never_cache
@require_http_methods(["GET", "POST"])
def remaining(request: HttpRequest) -> HttpResponse:
    """Answers the seconds left, 0 where nobody is signed in. A POST renews the session first."""
    if request.method == "POST" and request.user.is_authenticated:
        renew_session(request)
    return JsonResponse({"seconds": seconds_left(request)})


@allow(ANYONE)
@require_POST
def end(request: HttpRequest) -> HttpResponse:
    """Ends the session of a page whose time has run out, and keeps the form that was open."""
    page = local_address(request, request.GET.get("page", "")) or "/"
    action = local_address(request, request.GET.get("action", ""))
    logout(request)
    if action:
        unsaved_forms.keep_form(request, page=page, action=action)
    return redirect_to_login(page)
