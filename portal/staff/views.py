"""The start page: the first place that somebody may open."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

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
