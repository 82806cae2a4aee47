"""The start page, and the keys."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from portal.accounts.rules import SIGNED_IN, allow
from portal.errors import NotAllowed
from portal.staff.context import places_of


@allow(SIGNED_IN)
def home(request: HttpRequest) -> HttpResponse:
    """Patients for a front desk, the dashboard for an analyst."""
    places = places_of(request)
    if not places:
        raise NotAllowed("Your account has no role yet. Ask an operator to give you one.")
    return redirect(places[0]["url"])


@allow(SIGNED_IN)
@require_safe
def keys(request: HttpRequest) -> HttpResponse:
    """The keys and what they do; with scripts the same stands in a dialog."""
    return render(request, "staff/keys.html")
