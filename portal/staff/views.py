"""The start page, the keys, and the icon."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from portal.accounts.rules import ANYONE, SIGNED_IN, allow, user_of
from portal.errors import NotAllowed
from portal.patients.selectors import recent_patients
from portal.staff.context import places_of

RECENT = 6


@allow(SIGNED_IN)
def home(request: HttpRequest) -> HttpResponse:
    """Patients for a front desk, the dashboard for an analyst."""
    places = places_of(request)
    if not places:
        raise NotAllowed("Your account has no role yet. Ask an operator to give you one.")
    return redirect(places[0]["url"])


@allow(ANYONE)
@require_safe
def icon(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - a view takes it
    """Pages that name no icon, such as those of the API, have their browser ask here."""
    answer = redirect(static("staff/icon.svg"))
    answer["Cache-Control"] = "public, max-age=86400"
    return answer


@allow(SIGNED_IN)
@require_safe
def keys(request: HttpRequest) -> HttpResponse:
    """The keys and what they do; with scripts the same stands in a dialog."""
    return render(request, "staff/keys.html")


@allow("patients.view_patient")
@never_cache
@require_safe
def recent(request: HttpRequest) -> HttpResponse:
    """The patients that somebody opened last; the palette asks when it opens, since naming them is a reading."""
    return render(
        request, "staff/recent.html", {"patients": recent_patients(user_of(request), limit=RECENT)}
    )
