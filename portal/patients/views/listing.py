"""The list of patients, and the suggestions below a search box while the user types."""

from collections import Counter
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from portal.accounts.rules import allow, user_of
from portal.patients.dates import date_example
from portal.patients.models import Sex, Source, Status
from portal.patients.search.dates import parse_date_span
from portal.patients.search.query import parse_name
from portal.patients.search.typed_text import cut_text
from portal.patients.selectors import PatientFilters, estimate_patients
from portal.patients.shown_lists import ShownHit, find_shown_patients, recent_patients

PAGE_SIZE = 50  # patients on a page
MAX_RECENT = 6  # patients that the user opened last, above the list
MAX_SUGGESTIONS = 8  # patients below a search box


@allow("patients.view_patient")
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Finds patients by one box and two filters; htmx takes only what changes in the page."""
    user = user_of(request)
    asked = {name: request.GET.get(name, "").strip() for name in ("q", "status", "sex", "after")}
    asked["q"] = cut_text(asked["q"])
    query = {name: value for name, value in asked.items() if value and name != "after"}
    filters = PatientFilters.from_page(asked)
    page = find_shown_patients(
        user,
        text=asked["q"],
        filters=filters,
        after=asked["after"],
        limit=PAGE_SIZE,
        channel=Source.PORTAL,
    )
    is_plain = not any(asked.values())
    next_query, about = "", 0
    if page.next_cursor:
        next_query = urlencode({**query, "after": page.next_cursor})
    if page.next_cursor or asked["after"]:
        about = estimate_patients(user, text=asked["q"], filters=filters)
    recent = recent_patients(user, limit=MAX_RECENT) if is_plain else []
    names = Counter(patient.list_name for patient in recent)
    context = {
        "asked": asked,
        "page": page,
        "is_plain": is_plain,
        "has_own_search": True,
        "recent": recent,
        "shared_names": {name for name, count in names.items() if count > 1},
        **({} if page.hits else _advice(asked["q"])),
        "about": about,
        "next_query": next_query,
        "first_query": urlencode(query),
        "statuses": [("", "Active"), (Status.ARCHIVED, "Archived"), ("any", "Active and archived")],
        "sexes": [("", "Any"), *Sex.choices],
    }
    is_htmx = "HX-Request" in request.headers
    template = "patients/results_update.html" if is_htmx else "patients/list.html"
    response = render(request, template, context)
    # Both have one address: on the way back a browser must not show the part for the page.
    patch_vary_headers(response, ["HX-Request"])
    if is_htmx:
        address = f"{request.path}?{context['first_query']}"
        response["HX-Replace-Url"] = address.rstrip("?")  # Back returns to what was found.
    return response


def _advice(text: str) -> dict[str, str | bool]:
    """Returns how a text that found nobody was understood, and how a date is typed."""
    span = parse_date_span(text)
    return {
        "typed_date": span.text if span else "",
        "typed_name": parse_name(text) is not None,
        "date_example": date_example(),
    }


@allow("patients.view_patient")
@require_safe
def suggest(request: HttpRequest) -> HttpResponse:
    """Returns the best hits as list items with a link each; none for an empty text."""
    text = " ".join(cut_text(request.GET.get("q", "")).split())
    user = user_of(request)
    hits: list[ShownHit] = []
    if text:
        page = find_shown_patients(user, text=text, limit=MAX_SUGGESTIONS, channel=Source.PORTAL)
        hits = page.hits
    context = {
        "hits": hits,
        "text": text,
        "may_register": user.has_perm("patients.add_patient"),
    }
    # Without the context of a page: a script puts it into one.
    return HttpResponse(render_to_string("patients/suggestions.html", context))
