"""The start page, the page of keys, the icon, and the user's recent patients."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from portal.accounts.rules import ANYONE, SIGNED_IN, allow, user_of
from portal.errors import NotAllowed
from portal.patients.shown_lists import recent_patients
from portal.staff.context import nav_entries_of

RECENT_PATIENTS = 6  # Shown in the palette.


@allow(SIGNED_IN)
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Redirects to the first page of the user's navigation."""
    entries = nav_entries_of(request)
    if not entries:
        raise NotAllowed("Your account has no role yet. Ask an operator to give you one.")
    return redirect(entries[0]["url"])


@allow(ANYONE)
@require_safe
def icon(_request: HttpRequest) -> HttpResponse:
    """Redirects to the icon; browsers ask here for pages without one, such as the API's."""
    response = redirect(static("staff/icon.svg"))
    response["Cache-Control"] = "public, max-age=86400"
    return response


@allow(SIGNED_IN)
@require_safe
def keys(request: HttpRequest) -> HttpResponse:
    """Shows the keys and what they do; with scripts a dialog shows the same."""
    return render(request, "staff/keys.html")


@allow("patients.view_patient")
@never_cache
@require_safe
def recent(request: HttpRequest) -> HttpResponse:
    """Lists the patients whom the user opened last.

    The palette asks only when it opens, since naming patients makes an access record.
    """
    patients = recent_patients(user_of(request), limit=RECENT_PATIENTS)
    return HttpResponse(render_to_string("staff/recent.html", {"patients": patients}))
