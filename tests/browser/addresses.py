"""Every address of the staff pages, read from the URL patterns, so that none is forgotten."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from portal.accounts.models import User
from portal.accounts.rules import is_met

# These are not staff pages: the admin has its own tests, the rest is for programs.
FOR_PROGRAMS = ("admin/", "api/", "auth/", "health/", "metrics")
ENDS_THE_SESSION = "accounts:ended"


def pages_open_to(user: User, examples: Mapping[str, Any]) -> list[str]:
    """Returns the whole pages that the user may open.

    `examples` has a value for every argument of a pattern.
    """
    addresses = []
    for name, pattern in _patterns():
        if not is_met(pattern.callback.rule, user):
            continue
        arguments = {name: examples[name] for name in pattern.pattern.converters}
        address = reverse(name, kwargs=arguments)
        if _is_page(user, address):
            addresses.append(address)
    return addresses


def _patterns() -> Iterator[tuple[str, URLPattern]]:
    for area in get_resolver().url_patterns:
        if isinstance(area, URLResolver) and area.namespace != "admin":
            for pattern in area.url_patterns:
                name = f"{area.namespace}:{pattern.name}"
                if not str(pattern.pattern).startswith(FOR_PROGRAMS) and name != ENDS_THE_SESSION:
                    yield name, pattern


def _is_page(user: User, address: str) -> bool:
    """Returns whether a GET answers a whole page: no fragment, file or redirect, and no 405."""
    client = Client()
    client.force_login(user)
    answer = client.get(address)
    is_html = answer.status_code == 200 and answer["Content-Type"].startswith("text/html")
    return is_html and b"<!doctype html>" in answer.content
