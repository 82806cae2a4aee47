"""Middleware of every request: its id in pages, problems, logs and audit, its port, its policy."""

import re
import time
import uuid
from collections.abc import Callable, Iterator

import structlog
from csp.middleware import CSPMiddleware
from django.conf import settings
from django.http import FileResponse, Http404, HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from prometheus_client import Counter, Histogram

log = structlog.get_logger("portal.middleware")
REQUESTS = Counter("portal_requests_total", "Requests answered", ["method", "route", "status"])
SECONDS = Histogram("portal_request_seconds", "Time to answer", ["method", "route"])
# Any other counts as "other", since the client chooses the method.
METHODS = {"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"}
SAFE_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")  # Another X-Request-Id is replaced.


class RequestContext:
    """Gives the request its id, logs a line without its query, and counts it by route."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        given = request.headers.get("X-Request-Id", "")
        request_id = given if SAFE_ID.fullmatch(given) else uuid.uuid4().hex
        request.request_id = request_id  # type: ignore[attr-defined]  # Ours, on Django's class.
        started = time.perf_counter()
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            response = self.get_response(request)
            self._record(request, response, time.perf_counter() - started)
        if isinstance(response, StreamingHttpResponse) and not isinstance(response, FileResponse):
            response.streaming_content = _stream_with_id(iter(response), request_id)
        response["X-Request-Id"] = request_id
        return response

    def _record(self, request: HttpRequest, response: HttpResponseBase, seconds: float) -> None:
        route = route_of(request)
        method = request.method if request.method in METHODS else "other"
        ms = round(seconds * 1000, 1)
        REQUESTS.labels(method, route, response.status_code).inc()
        SECONDS.labels(method, route).observe(seconds)
        if not route.startswith(("health/", "metrics", "static")):
            log.info("request", method=method, route=route, status=response.status_code, ms=ms)

    def process_view(self, request: HttpRequest, *_: object) -> None:
        """Refuses internal routes on the public port, and public ones on the internal port."""
        if is_internal_route(request) != on_internal_port(request):
            raise Http404


def _stream_with_id(chunks: Iterator[bytes], request_id: str) -> Iterator[bytes]:
    """Makes each chunk under the request's id.

    An export is read while it is sent, after the view has returned; its access records need the id.
    """
    while True:
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            chunk = next(chunks, None)
        if chunk is None:
            return
        yield chunk


def route_of(request: HttpRequest) -> str:
    """Returns the URL pattern, never the URL, which may hold search text."""
    match = request.resolver_match
    return match.route if match else "static or unknown"


def is_internal_route(request: HttpRequest) -> bool:
    """Returns whether the route is for the operators' network only: health and metrics."""
    return route_of(request) in {"health/live", "health/ready", "metrics"}


def on_internal_port(request: HttpRequest) -> bool:
    """Returns whether the request came in on PORTAL_INTERNAL_PORT, by its socket, not its Host."""
    return request.META.get("SERVER_PORT") == str(settings.INTERNAL_PORT)


class NoStore:
    """Keeps pages and answers out of the caches of browsers and proxies: patients are in them.

    A view without patients may say otherwise by a Cache-Control of its own;
    tests/portal/test_nothing_is_stored.py lists those views.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        response.headers.setdefault("Cache-Control", "no-store")
        return response


class ContentPolicy(CSPMiddleware):
    """Sets the strict policy on the staff's pages; those of admin and API need inline parts."""

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        if request.path.startswith(("/admin/", "/api/", "/auth/")):
            # The attribute is what csp's own decorator for views sets.
            response._csp_update = settings.CSP_RELAXED  # type: ignore[attr-defined]  # Dynamic.
        return super().process_response(request, response)
