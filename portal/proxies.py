"""Middleware: believes the headers of the proxies in TRUSTED_PROXIES, and of no others."""

from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_address

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

Address = IPv4Address | IPv6Address
HEADERS = ("FORWARDED", "X_FORWARDED_FOR", "X_FORWARDED_HOST", "X_FORWARDED_PROTO")


class TrustedProxies:
    """Takes scheme, host and client address from X-Forwarded-* where a trusted proxy sent them.

    The headers are removed then, and always when a stranger sent them, so that nothing behind this
    middleware reads them. It is the first one: sign-in counts wrong passwords by client address.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        sent = {name: request.META.pop(f"HTTP_{name}", "") for name in HEADERS}
        peer = read_address(request.META.get("REMOTE_ADDR", ""))
        if peer and is_trusted(peer):
            request.META["REMOTE_ADDR"] = str(client_address(peer, sent["X_FORWARDED_FOR"]))
            if (scheme := _last(sent["X_FORWARDED_PROTO"]).lower()) in {"http", "https"}:
                request.META["wsgi.url_scheme"] = scheme
            if host := _last(sent["X_FORWARDED_HOST"]):
                request.META["HTTP_HOST"] = host  # Still one of ALLOWED_HOSTS, or it is refused.
        return self.get_response(request)


def client_address(peer: Address, forwarded_for: str) -> Address:
    """Returns the last address that a trusted proxy has seen and that is no trusted proxy itself.

    What stands before it was written by the client, who may write anything.
    """
    client = peer
    for entry in reversed(forwarded_for.split(",")):
        address = read_address(entry)
        if address is None:
            break
        client = address
        if not is_trusted(address):
            break
    return client


def is_trusted(address: Address) -> bool:
    """Returns whether the address is one of TRUSTED_PROXIES."""
    return any(address in network for network in settings.TRUSTED_PROXIES)


def read_address(text: str) -> Address | None:
    """Returns the address of `1.2.3.4`, `1.2.3.4:567`, `::1` or `[::1]:567`, else None."""
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])  # The database takes no zone (fe80::1%eth0).
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _last(values: str) -> str:
    return values.rpartition(",")[2].strip()
