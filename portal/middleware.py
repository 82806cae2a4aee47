"""What every request carries: an id that pages, problems, logs and the audit share, its port, its content policy."""

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
_SAFE_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


class RequestContext:
    """Give the request its id, log one line without its query, and count it by route."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        given = request.headers.get("X-Request-Id", "")
        request_id = given if _SAFE_ID.fullmatch(given) else uuid.uuid4().hex
        request.request_id = request_id  # type: ignore[attr-defined]
        started = time.perf_counter()
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            response = self.get_response(request)
            self._record(request, response, time.perf_counter() - started)
        if isinstance(response, StreamingHttpResponse) and not isinstance(response, FileResponse):
            chunks: Iterator[bytes] = iter(response.streaming_content)  # type: ignore[arg-type]  # None is asynchronous.
            response.streaming_content = _made_within(chunks, request_id)
        response["X-Request-Id"] = request_id
        return response

    def _record(self, request: HttpRequest, response: HttpResponseBase, seconds: float) -> None:
        route, method = route_of(request), request.method or "?"
        REQUESTS.labels(method, route, response.status_code).inc()
        SECONDS.labels(method, route).observe(seconds)
        if not route.startswith(("health/", "metrics", "static")):
            log.info(
                "request",
                method=method,
                route=route,
                status=response.status_code,
                ms=round(seconds * 1000, 1),
            )

    def process_view(self, request: HttpRequest, *_: object) -> None:
        """Refuse internal routes on the public port, and public ones on the internal port."""
        if is_internal_route(request) != on_internal_port(request):
            raise Http404


def _made_within(chunks: Iterator[bytes], request_id: str) -> Iterator[bytes]:
    """An export is read while it is sent, after the request has been answered: those readings carry its id too."""
    while True:
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            chunk = next(chunks, None)
        if chunk is None:
            return
        yield chunk


def route_of(request: HttpRequest) -> str:
    """The URL pattern, never the URL: an address may hold search text."""
    match = request.resolver_match
    return match.route if match else "static or unknown"


def is_internal_route(request: HttpRequest) -> bool:
    """Health and metrics are for the operators' network only."""
    return route_of(request) in {"health/live", "health/ready", "metrics"}


def on_internal_port(request: HttpRequest) -> bool:
    """True where the request came in on PORTAL_INTERNAL_PORT: the socket tells, not the Host header."""
    return request.META.get("SERVER_PORT") == str(settings.INTERNAL_PORT)


class ContentPolicy(CSPMiddleware):
    """The strict policy on the staff's pages; the admin's and the API's own pages need inline parts."""

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        if request.path.startswith(("/admin/", "/api/", "/auth/")):
            response._csp_update = settings.CSP_RELAXED  # type: ignore[attr-defined]
        return super().process_response(request, response)
