"""How long the session still lasts, staying signed in, and the end that a page tells of."""

from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from portal.accounts import unsaved_forms
from portal.accounts.redirects import own_address
from portal.accounts.rules import ANYONE, allow
from portal.accounts.sessions import renew, seconds_left


@allow(ANYONE)
@never_cache
@require_http_methods(["GET", "POST"])
def session(request: HttpRequest) -> HttpResponse:
    """The seconds that are left, 0 where nobody is signed in. A POST says that somebody is at work."""
    if request.method == "POST" and request.user.is_authenticated:
        renew(request)
    return JsonResponse({"seconds": seconds_left(request)})


@allow(ANYONE)
@require_POST
def ended(request: HttpRequest) -> HttpResponse:
    """The page's time has run out: end the session for certain, and keep the form that was open."""
    page = own_address(request, request.GET.get("page", "")) or "/"
    action = own_address(request, request.GET.get("action", ""))
    logout(request)
    if action:
        unsaved_forms.keep(request, page=page, action=action)
    return redirect_to_login(page)
