"""Name, colours and sidebar of the operators' admin, for the setting UNFOLD."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy


def permission_check(right: str) -> Callable[[HttpRequest], bool]:
    """Returns a function that says whether a request's user has the right to see an entry."""
    return lambda request: request.user.has_perm(right)


def _entry(title: str, icon: str, address: str, right: str, query: str = "") -> dict[str, Any]:
    entry = {
        "title": title,
        "icon": icon,
        "link": f"/admin/{address}/{query}",
        "permission": permission_check(right),
    }
    if query:
        entry["active"] = lambda request: f"?{request.GET.urlencode()}" == query
    return entry


NAVIGATION: list[dict[str, Any]] = [
    {
        "items": [
            {
                "title": "What needs you",
                "icon": "notifications",
                "link": reverse_lazy("admin:index"),
            },
            {"title": "Staff pages", "icon": "arrow_back", "link": "/", "active": lambda _: False},
        ]
    },
    {
        "title": "People",
        "separator": True,
        "items": [
            _entry("Users", "person", "accounts/user", "accounts.view_user"),
            _entry(
                "API clients", "api", "accounts/user", "accounts.view_refreshtoken", "?by_token=yes"
            ),
            _entry("Roles", "badge", "auth/group", "auth.view_group"),
            _entry("Wrong passwords", "lock", "axes/accessattempt", "axes.view_accessattempt"),
            _entry("Refresh tokens", "key", "accounts/refreshtoken", "accounts.view_refreshtoken"),
        ],
    },
    {
        "title": "Patients",
        "separator": True,
        "items": [
            _entry("Patients", "groups", "patients/patient", "patients.view_patient"),
            _entry(
                "Billing accounts",
                "receipt_long",
                "billing/billingaccount",
                "billing.view_billingaccount",
            ),
            _entry(
                "Orphaned accounts",
                "link_off",
                "billing/orphanedaccount",
                "billing.view_orphanedaccount",
            ),
        ],
    },
    {
        "title": "Work",
        "separator": True,
        "items": [
            _entry("Imports", "upload_file", "imports/importjob", "imports.view_importjob"),
            _entry("Refused rows", "rule", "imports/importreject", "imports.view_importreject"),
            _entry(
                "Reconciliations",
                "balance",
                "reconciliation/reconcilereport",
                "reconciliation.view_reconcilereport",
            ),
        ],
    },
    {
        "title": "Delivery",
        "separator": True,
        "items": [
            _entry(
                "Quarantined events",
                "report",
                "events/quarantinedevent",
                "events.view_quarantinedevent",
            ),
            _entry("Waiting events", "outbox", "patients/eventoutbox", "patients.view_eventoutbox"),
            _entry("Relay: who leads", "swap_horiz", "events/relaylease", "events.view_relaylease"),
            _entry("Relay: its loops", "sync", "events/relayloop", "events.view_relayloop"),
        ],
    },
    {
        "title": "Audit",
        "separator": True,
        "items": [
            _entry(
                "Changes of patients",
                "history",
                "patients/patientevent",
                "patients.view_patientevent",
            ),
            _entry(
                "Access log",
                "visibility",
                "patients/accessrecord",
                "patients.view_accessrecord",
            ),
        ],
    },
]

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Patient Portal",
    "SITE_HEADER": "Patient Portal",
    "SITE_SUBHEADER": "Admin",
    "SITE_SYMBOL": "health_and_safety",
    "SITE_URL": "/",
    "STYLES": [lambda _: static("staff/admin.css")],
    "SCRIPTS": [lambda _: static("staff/admin.js")],
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda _: static("staff/icon.svg")},
    ],
    "DASHBOARD_CALLBACK": "portal.staff.attention.admin_index_context",
    "SHOW_VIEW_ON_SITE": False,
    "SIDEBAR": {"navigation": NAVIGATION},
    "COLORS": {
        "primary": {  # Shades of the staff pages' colour.
            "50": "oklch(97.5% .013 205)",
            "100": "oklch(94% .03 207)",
            "200": "oklch(88% .05 209)",
            "300": "oklch(78% .07 211)",
            "400": "oklch(66% .08 213)",
            "500": "oklch(52% .075 214)",
            "600": "oklch(40% .06 215)",
            "700": "oklch(35% .053 216)",
            "800": "oklch(30% .045 216)",
            "900": "oklch(25% .037 217)",
            "950": "oklch(18% .03 218)",
        }
    },
}
