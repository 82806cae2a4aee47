"""Addresses that somebody is led to: ours, or none."""

from urllib.parse import urlsplit

from django.http import HttpRequest
from django.utils.http import escape_leading_slashes, url_has_allowed_host_and_scheme


def own_address(request: HttpRequest, wanted: str) -> str:
    """`wanted` if it is one of ours, else nothing: a link or a header leads nobody to another house."""
    is_ours = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if is_ours else ""


def page_of_form(request: HttpRequest) -> str:
    """Path and query of the page on which the sent form stood; where the browser does not tell, the form's target."""
    told = urlsplit(own_address(request, request.headers.get("Referer", "")))
    if not told.path:
        return request.get_full_path()
    return escape_leading_slashes(
        f"{told.path}?{told.query}".rstrip("?")
    )  # `//x` would be another house.
