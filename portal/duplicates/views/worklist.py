"""The worklist page: pairs that may be one person, decided once by a user, with an undo."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from portal.accounts.polling import polled
from portal.accounts.rules import allow, user_of
from portal.duplicates.scans import request_scan
from portal.duplicates.selectors import (
    MAX_COUNTED,
    MERGE_PERMISSION,
    count_open_pairs,
    get_pair,
    list_dismissed_pairs,
    list_open_pairs,
    scan_status,
)
from portal.duplicates.services import dismiss_pair, reopen_pair
from portal.patients.matching.rules import MatchGrade

GRADES = [("", "Any"), (MatchGrade.CERTAIN, "Certain"), (MatchGrade.PROBABLE, "Probable")]
DISMISSED = "apart"  # the value of `show` in addresses
_PARAMETERS = ("show", "grade", "patient", "after")


@polled
@allow(MERGE_PERMISSION)
@require_safe
def show_worklist(request: HttpRequest) -> HttpResponse:
    """Shows open or dismissed pairs; a poll during a scan gets the state of the scan alone."""
    context: dict[str, Any] = {"scan": scan_status(), "most": MAX_COUNTED}
    if request.htmx:  # type: ignore[attr-defined]  # set by the middleware of django-htmx
        context["has_just_ended"] = context["scan"].last and not context["scan"].current
        return render(request, "duplicates/worklist.html#scan", context)
    query = _clean_query(request.GET)
    is_dismissed = query["show"] == DISMISSED
    context |= {
        "query": query,
        "is_dismissed": is_dismissed,
        "grades": GRADES,
        "is_filtered": bool(query["grade"] or query["patient"]),
    }
    context |= _dismissed_page(request, query) if is_dismissed else _open_page(request, query)
    return render(request, "duplicates/worklist.html", context)


@allow(MERGE_PERMISSION)
@require_POST
def dismiss(request: HttpRequest, pair_id: int) -> HttpResponse:
    """Dismisses the pair, and shows the rest of the worklist with an undo."""
    pair = get_pair(user_of(request), pair_id)
    reason = request.POST.get("reason", "")
    dismiss_pair(pair.first_id, pair.second_id, by=user_of(request), reason=reason)
    query = _clean_query(request.POST)
    context = {"pair": pair, "fields": {name: value for name, value in query.items() if value}}
    messages.success(request, render_to_string("duplicates/dismissed.html", context, request))
    return redirect(_worklist_address(query))


@allow(MERGE_PERMISSION)
@require_POST
def reopen(request: HttpRequest, pair_id: int) -> HttpResponse:
    """Puts the pair on the worklist again."""
    pair = get_pair(user_of(request), pair_id)
    reopen_pair(pair.first_id, pair.second_id, by=user_of(request))
    messages.success(request, "The pair is back on the list of those to be decided.")
    return redirect(_worklist_address(_clean_query(request.POST)))


@allow(MERGE_PERMISSION)
@require_POST
def find_duplicates(request: HttpRequest) -> HttpResponse:
    """Makes the worker scan now; the page may be closed."""
    request_scan(by=user_of(request))
    return redirect("duplicates:worklist")


def _open_page(request: HttpRequest, query: dict[str, str]) -> dict[str, Any]:
    user, grade = user_of(request), query["grade"]
    patient_id = UUID(query["patient"]) if query["patient"] else None
    page = list_open_pairs(user, grade=grade, patient_id=patient_id, after=query["after"])
    count = count_open_pairs(user, grade=grade, patient_id=patient_id)
    return {**_page_links(page.next_cursor, query), "page": page, "count": count}


def _dismissed_page(request: HttpRequest, query: dict[str, str]) -> dict[str, Any]:
    page = list_dismissed_pairs(user_of(request), after=query["after"])
    return {**_page_links(page.next_cursor, query), "page": page}


def _page_links(next_cursor: str, query: dict[str, str]) -> dict[str, str]:
    first = {name: value for name, value in query.items() if value and name != "after"}
    return {
        "first_query": urlencode(first),
        "next_query": urlencode({**first, "after": next_cursor}) if next_cursor else "",
    }


def _clean_query(given: Mapping[str, str]) -> dict[str, str]:
    """Returns the place in the worklist from an address or a form; unknown values become empty."""
    query = {name: given.get(name, "").strip()[:80] for name in _PARAMETERS}
    if query["show"] != DISMISSED:
        query["show"] = ""
    if query["grade"] not in dict(GRADES):
        query["grade"] = ""
    try:
        query["patient"] = str(UUID(query["patient"])) if query["patient"] else ""
    except ValueError:
        query["patient"] = ""
    return query


def _worklist_address(query: dict[str, str]) -> str:
    parameters = urlencode({name: value for name, value in query.items() if value})
    return reverse("duplicates:worklist") + (f"?{parameters}" if parameters else "")
