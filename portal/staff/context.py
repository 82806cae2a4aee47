"""The template context of every page: names, navigation by right, strips and request id."""

from dataclasses import dataclass
from functools import cache
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
class NavEntry:
    """An entry of the navigation for users with `right`; it is current on pages under `below`."""

    label: str
    url_name: str
    right: str
    below: str


@dataclass(frozen=True)
class Action:
    """An action that the palette offers on every page to users with `right`."""

    label: str
    url_name: str
    right: str


ACTIONS = (
    Action("Register a patient", "patients:register", "patients.add_patient"),
    Action("Import a file", "imports:list", "imports.add_importjob"),
)

NAV_ENTRIES = (
    NavEntry("Patients", "patients:list", "patients.view_patient", "/patients/"),
    NavEntry(
        "Duplicates", "duplicates:worklist", "patients.merge_patient", "/patients/duplicates/"
    ),
    NavEntry("Imports", "imports:list", "imports.view_importjob", "/imports/"),
    NavEntry("Billing", "billing:list", "billing.view_billingaccount", "/billing/"),
    NavEntry("Dashboard", "analytics:dashboard", "analytics.view_figures", "/dashboard/"),
    NavEntry("Audit", "audit:list", "patients.view_accessrecord", "/audit/"),
    NavEntry(
        "Reconciliation",
        "reconciliation:list",
        "reconciliation.view_reconcilereport",
        "/reconciliation/",
    ),
    NavEntry("Admin", "admin:index", "", "/admin/"),
)


def layout(request: HttpRequest) -> dict[str, Any]:
    """The context processor. Without a database, as on an error page, nobody is signed in."""
    try:
        user = request.user if request.user.is_authenticated else None
        entries = nav_entries_of(request)
    except (AttributeError, DatabaseError):
        user, entries = None, []
    return {
        "product": "Patient Portal",
        "clinic": settings.CLINIC_NAME,
        "version": __version__,
        "request_id": getattr(request, "request_id", ""),
        "signed_in": user,
        "nav_entries": entries,
        "strips": SimpleLazyObject(strips) if user else [],
        **(_signed_in_context(request) if user else {}),
    }


def _signed_in_context(request: HttpRequest) -> dict[str, Any]:
    """Returns what header, palette and the dialog of the session's end need."""
    actions = [
        {"label": action.label, "url": _address(action.url_name)}
        for action in ACTIONS
        if _may_open(action, request.user)
    ]
    can_find = request.user.has_perm("patients.view_patient")
    return {
        "actions": [action for action in actions if action["url"]],
        "suggest_url": _address("patients:suggest") if can_find else "",
        "session_seconds": seconds_left(request),
        "unsaved": unsaved_forms.take_form(request),
    }


@cache
def _address(url_name: str) -> str:
    try:
        return reverse(url_name)
    except NoReverseMatch:
        return ""


def nav_entries_of(request: HttpRequest) -> list[dict[str, Any]]:
    """Returns the entries that the user may open, in the order of the navigation."""
    if not request.user.is_authenticated:
        return []
    current = _current(request.path)
    allowed = [entry for entry in NAV_ENTRIES if _may_open(entry, request.user)]
    return [
        {"label": entry.label, "url": url, "is_current": entry is current}
        for entry in allowed
        if (url := _address(entry.url_name))
    ]


STRIP_TITLES = {
    "relay": "The relay is away.",
    "events": "Events are late.",
    "billing": "Billing is behind.",
    "analytics": "Live figures are away.",
    "worker queue": "Imports wait.",
    "worker": "Imports and seals wait.",
    "scheduler": "Nightly work waits.",
    "disk": "A disk is nearly full.",
    "reconciliation": "Copies of records differ.",
    "topic": "The event log in Kafka forgets.",
    "records": "Some records have a date that cannot be.",
}


def strips() -> list[tuple[str, str]]:
    """Returns a title and what still works, for each part that does not keep up."""
    return [
        (STRIP_TITLES.get(check.name, check.name), check.still_works)
        for check in _causes(checks_behind())
    ]


def _causes(behind: list[Check]) -> list[Check]:
    """Drops events and billing while the relay is away: its own strip covers them."""
    if any(check.name == "relay" for check in behind):
        return [check for check in behind if check.name not in {"events", "billing"}]
    return behind


def _may_open(entry: NavEntry | Action, user: Any) -> bool:
    return user.has_perm(entry.right) if entry.right else user.is_staff


def _current(path: str) -> NavEntry | None:
    """Returns the entry that the page belongs to; of nested ones, the innermost."""
    above = [entry for entry in NAV_ENTRIES if path.startswith(entry.below)]
    return max(above, key=lambda entry: len(entry.below), default=None)
