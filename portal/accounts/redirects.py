"""Addresses that a response may redirect to: only those of this portal."""

from urllib.parse import urlsplit

from django.http import HttpRequest
from django.utils.http import escape_leading_slashes, url_has_allowed_host_and_scheme


def local_address(request: HttpRequest, wanted: str) -> str:
    """Returns `wanted` if it is an address of this portal, else an empty text."""
    is_local = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    # `abc` would be the name of a view for Django's redirect.
    return wanted if is_local and urlsplit(wanted).path.startswith("/") else ""


def page_of_form(request: HttpRequest) -> str:
    """Returns path and query of the page that the posted form stood on.

    Where the browser sends no Referer, it returns the address that the form was sent to.
    """
    referer = urlsplit(local_address(request, request.headers.get("Referer", "")))
    if not referer.path:
        return request.get_full_path()
    page = f"{referer.path}?{referer.query}".rstrip("?")
    return escape_leading_slashes(page)  # `//x` would lead to another host.
