"""What the layout of every page needs: names, navigation by right, version and request id."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import SimpleLazyObject

from portal import __version__
from portal.accounts import unsaved_forms
from portal.accounts.sessions import seconds_left
from portal.health import Check, checks_behind


@dataclass(frozen=True)
class Place:
    """An entry of the navigation: who holds `right` sees it; `below` is where it is the current one."""

    label: str
    url_name: str
    right: str
    below: str


@dataclass(frozen=True)
class Action:
    """What the palette offers on every page to who holds `right`."""

    label: str
    url_name: str
    right: str


ACTIONS = (
    Action("Register a patient", "patients:register", "patients.add_patient"),
    Action("Import a file", "imports:list", "imports.add_importjob"),
)

PLACES = (
    Place("Patients", "patients:list", "patients.view_patient", "/patients/"),
    Place("Duplicates", "duplicates:worklist", "patients.merge_patient", "/patients/duplicates/"),
    Place("Imports", "imports:list", "imports.view_importjob", "/imports/"),
    Place("Billing", "billing:list", "billing.view_billingaccount", "/billing/"),
    Place("Dashboard", "analytics:dashboard", "analytics.view_figures", "/dashboard/"),
    Place("Audit", "audit:list", "patients.view_accessrecord", "/audit/"),
    Place(
        "Reconciliation",
        "reconciliation:list",
        "reconciliation.view_reconcilereport",
        "/reconciliation/",
    ),
    Place("Admin", "admin:index", "", "/admin/"),
)


def layout(request: HttpRequest) -> dict[str, Any]:
    """The context processor. An error page must open without a database, so nobody is signed in then."""
    try:
        user = request.user if request.user.is_authenticated else None
        places = places_of(request)
    except (AttributeError, DatabaseError):
        user, places = None, []
    return {
        "product": "Patient Portal",
        "clinic": settings.CLINIC_NAME,
        "version": __version__,
        "request_id": getattr(request, "request_id", ""),
        "signed_in": user,
        "places": places,
        "strips": SimpleLazyObject(strips) if user else [],
        **(_at_work(request) if user else {}),
    }


def _at_work(request: HttpRequest) -> dict[str, Any]:
    """What the header, the palette and the session's end need of somebody who is signed in."""
    actions = [
        {"label": one.label, "url": _address(one.url_name)}
        for one in ACTIONS
        if _may_open(one, request.user)
    ]
    can_find = request.user.has_perm("patients.view_patient")
    return {
        "actions": [action for action in actions if action["url"]],
        "suggest_url": _address("patients:suggest") if can_find else "",
        "session_seconds": seconds_left(request),
        "unsaved": unsaved_forms.take_form(request),
    }


def _address(url_name: str) -> str:
    try:
        return reverse(url_name)
    except NoReverseMatch:
        return ""


def places_of(request: HttpRequest) -> list[dict[str, Any]]:
    """The places that this person may open, in the order of the navigation."""
    if not request.user.is_authenticated:
        return []
    current = _current(request.path)
    entries = [_entry(place, current) for place in PLACES if _may_open(place, request.user)]
    return [entry for entry in entries if entry]


TITLES = {
    "relay": "The relay is away.",
    "events": "Events are late.",
    "billing": "Billing is behind.",
    "analytics": "Live figures are away.",
    "worker queue": "Imports wait.",
    "reconciliation": "Copies of records differ.",
}


def strips() -> list[tuple[str, str]]:
    """A title and what still works, for each part that does not keep up."""
    return [
        (TITLES.get(check.name, check.name), check.still_works)
        for check in _causes(checks_behind())
    ]


def _causes(found: list[Check]) -> list[Check]:
    """Without the relay, events and billing are late too: its own strip says so."""
    is_relay_away = any(check.name == "relay" for check in found)
    return [check for check in found if not (is_relay_away and check.name in {"events", "billing"})]


def _may_open(place: Place | Action, user: Any) -> bool:
    return user.has_perm(place.right) if place.right else user.is_staff


def _entry(place: Place, current: Place | None) -> dict[str, Any] | None:
    url = _address(place.url_name)
    return {"label": place.label, "url": url, "is_current": place is current} if url else None


def _current(path: str) -> Place | None:
    """The place that the page belongs to: of two, one below the other, the lower one."""
    return max(
        (one for one in PLACES if path.startswith(one.below)),
        key=lambda one: len(one.below),
        default=None,
    )
