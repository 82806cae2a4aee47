"""The list of patients, and the few that a search box suggests while somebody types."""

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from portal.accounts.rules import allow, user_of
from portal.patients.models import Sex, Source, Status
from portal.patients.selectors import (
    PatientFilters,
    estimate_patients,
    find_patients,
    recent_patients,
)

PAGE_SIZE = 50
RECENT = 6
SUGGESTED = 8


@allow("patients.view_patient")
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Find a patient: one box, two filters, pages with stable addresses."""
    asked = {name: request.GET.get(name, "").strip() for name in ("q", "status", "sex", "after")}
    filters = PatientFilters.of_the_list(asked)
    page = find_patients(
        user_of(request),
        text=asked["q"],
        filters=filters,
        after=asked["after"],
        limit=PAGE_SIZE,
        channel=Source.PORTAL,
    )
    is_plain = not any(asked.values())
    has_more = bool(page.next_cursor or asked["after"])
    context = {
        "asked": asked,
        "page": page,
        "is_plain": is_plain,
        "has_own_search": True,
        "recent": recent_patients(user_of(request), limit=RECENT) if is_plain else [],
        "about": estimate_patients(user_of(request), text=asked["q"], filters=filters)
        if has_more
        else 0,
        "next_query": urlencode({**_kept(asked), "after": page.next_cursor})
        if page.next_cursor
        else "",
        "first_query": urlencode(_kept(asked)),
        "statuses": [("", "Active"), (Status.ARCHIVED, "Archived"), ("any", "Active and archived")],
        "sexes": [("", "Any"), *Sex.choices],
    }
    if not request.htmx:  # type: ignore[attr-defined]
        return _varied(render(request, "patients/index.html", context))
    answer = _varied(render(request, "patients/listed.html", context))
    answer["HX-Replace-Url"] = f"{request.path}?{context['first_query']}".rstrip(
        "?"
    )  # Back comes to what was found.
    return answer


@allow("patients.view_patient")
@require_safe
def suggest(request: HttpRequest) -> HttpResponse:
    """The best hits as list items with a link each, for the box on every page; nothing for an empty text."""
    text = " ".join(request.GET.get("q", "").split())
    hits = (
        find_patients(user_of(request), text=text, limit=SUGGESTED, channel=Source.PORTAL).hits
        if text
        else []
    )
    return render(request, "patients/suggestions.html", {"hits": hits, "text": text})


def _varied(answer: HttpResponse) -> HttpResponse:
    """One address has a page and what changes in it: on the way back a browser must not take one for the other."""
    patch_vary_headers(answer, ["HX-Request"])
    return answer


def _kept(asked: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in asked.items() if value and name != "after"}
