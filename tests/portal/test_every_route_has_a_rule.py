"""P6: every route has a rule. A planted view without `allow` or `needs` makes this red."""

from collections.abc import Iterator

import pytest
from django.contrib.admin.sites import AdminSite
from django.urls import URLPattern, URLResolver, get_resolver, path
from django.views import View

from portal.accounts.roles import ROLES
from portal.accounts.rules import ANYONE, SIGNED_IN

OPEN_ROUTES = {
    "favicon.ico",
    "health/live",
    "health/ready",
    "metrics",
    "admin/login/",
    "sign-in/",
    "sign-in/ended/",
    "sign-out/",
    "session/",
    "auth/login",
    "auth/validate",
    "auth/refresh",
    "auth/logout",
}


def all_routes(patterns, prefix: str = "") -> Iterator[tuple[str, object]]:
    for entry in patterns:
        if isinstance(entry, URLResolver):
            yield from all_routes(entry.url_patterns, prefix + str(entry.pattern))
        elif isinstance(entry, URLPattern):
            yield prefix + str(entry.pattern), entry.callback


def rules_of(view) -> set[str]:
    """Returns the rules that the view names; empty where it names none."""
    if hasattr(view, "rule"):
        return {view.rule}
    classes = getattr(view, "initkwargs", {}).get("permission_classes")
    classes = classes or getattr(getattr(view, "cls", None), "permission_classes", ())
    rules = set()
    for permission_class in classes:
        rules |= {*getattr(permission_class, "rules", {}).values()} - {""}
    return rules


def portal_routes() -> list[tuple[str, object]]:
    """Returns all routes except the admin's, which checks is_staff and each model's permission."""
    return [
        (route, view)
        for route, view in all_routes(get_resolver().url_patterns)
        if not route.startswith("admin/") or hasattr(view, "rule")
    ]


@pytest.mark.parametrize(
    ("route", "view"), portal_routes(), ids=[route for route, _ in portal_routes()]
)
def test_the_route_names_a_known_rule(route, view):
    known = {ANYONE, SIGNED_IN} | {right for rights in ROLES.values() for right in rights}
    assert rules_of(view), f"{route} has no rule"
    assert rules_of(view) <= known


def test_only_these_routes_are_open_to_anyone():
    assert {route for route, view in portal_routes() if ANYONE in rules_of(view)} == OPEN_ROUTES


def test_a_view_without_a_rule_would_be_found():
    planted = path("planted/", View.as_view())
    assert rules_of(planted.callback) == set()


def test_the_admin_asks_for_staff(client, make_user):
    client.force_login(make_user("front desk"))
    assert AdminSite().has_permission  # The site's own check is in place.
    assert client.get("/admin/patients/patient/").status_code == 302
    assert client.get("/admin/patients/patient/", follow=True).status_code == 403
