"""The list of pairs that may be one person: decided once, by a person, with an undo."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

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
APART = "apart"
_KEPT = ("show", "grade", "patient", "after")


@allow(MERGE_PERMISSION)
@require_safe
def duplicates(request: HttpRequest) -> HttpResponse:
    """Those to be decided, or those set apart; a poll while a scan is at work gets its state alone."""
    context: dict[str, Any] = {"scan": scan_status(), "most": MAX_COUNTED}
    if request.htmx:  # type: ignore[attr-defined]
        context["has_just_ended"] = context["scan"].last and not context["scan"].current
        return render(request, "duplicates/worklist.html#scan", context)
    asked = _asked(request.GET)
    is_apart = asked["show"] == APART
    context |= {
        "asked": asked,
        "is_apart": is_apart,
        "grades": GRADES,
        "is_narrowed": bool(asked["grade"] or asked["patient"]),
    }
    page = _apart(request, asked) if is_apart else _to_decide(request, asked)
    return render(request, "duplicates/worklist.html", context | page)


@allow(MERGE_PERMISSION)
@require_POST
def two_people(request: HttpRequest, pair_id: int) -> HttpResponse:
    """Set the pair apart, and show the rest of the list with an undo."""
    pair = get_pair(user_of(request), pair_id)
    dismiss_pair(
        pair.first_id, pair.second_id, by=user_of(request), reason=request.POST.get("reason", "")
    )
    asked = _asked(request.POST)
    context = {"pair": pair, "fields": {name: value for name, value in asked.items() if value}}
    messages.success(request, render_to_string("duplicates/dismissed.html", context, request))
    return redirect(_back(asked))


@allow(MERGE_PERMISSION)
@require_POST
def one_again(request: HttpRequest, pair_id: int) -> HttpResponse:
    """Put the pair back on the list."""
    pair = get_pair(user_of(request), pair_id)
    reopen_pair(pair.first_id, pair.second_id, by=user_of(request))
    messages.success(request, "The pair is back on the list of those to be decided.")
    return redirect(_back(_asked(request.POST)))


@allow(MERGE_PERMISSION)
@require_POST
def find(request: HttpRequest) -> HttpResponse:
    """Have the worker look now; the page may be closed."""
    request_scan(by=user_of(request))
    return redirect("duplicates:worklist")


def _to_decide(request: HttpRequest, asked: dict[str, str]) -> dict[str, Any]:
    user, grade, patient_id = (
        user_of(request),
        asked["grade"],
        UUID(asked["patient"]) if asked["patient"] else None,
    )
    page = list_open_pairs(user, grade=grade, patient_id=patient_id, after=asked["after"])
    count = count_open_pairs(user, grade=grade, patient_id=patient_id)
    return {**_pages(page.next_cursor, asked), "page": page, "count": count}


def _apart(request: HttpRequest, asked: dict[str, str]) -> dict[str, Any]:
    page = list_dismissed_pairs(user_of(request), after=asked["after"])
    return {**_pages(page.next_cursor, asked), "page": page}


def _pages(next_cursor: str, asked: dict[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in asked.items() if value and name != "after"}
    return {
        "first_query": urlencode(kept),
        "next_query": urlencode({**kept, "after": next_cursor}) if next_cursor else "",
    }


def _asked(given: Any) -> dict[str, str]:
    """What an address or a form says of the place in the list; what is none of ours counts for nothing."""
    asked = {name: given.get(name, "").strip()[:80] for name in _KEPT}
    asked["show"] = APART if asked["show"] == APART else ""
    asked["grade"] = asked["grade"] if asked["grade"] in dict(GRADES) else ""
    try:
        asked["patient"] = str(UUID(asked["patient"])) if asked["patient"] else ""
    except ValueError:
        asked["patient"] = ""
    return asked


def _back(asked: dict[str, str]) -> str:
    query = urlencode({name: value for name, value in asked.items() if value})
    return reverse("duplicates:worklist") + (f"?{query}" if query else "")
