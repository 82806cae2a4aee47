"""The dashboard: figures that are seconds old, and say how old."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from portal.accounts.rules import allow
from portal.analytics.drawing import drawn
from portal.analytics.selectors import current_figures, etag_of
from portal.errors import Unavailable


@allow("analytics.view_figures")
@require_safe
def dashboard(request: HttpRequest) -> HttpResponse:
    """The whole page with the figures of now, or the last known ones; then it asks for the live part by itself."""
    try:
        figures = current_figures()
    except Unavailable:
        return render(request, "analytics/dashboard.html", {"state": "none"})
    return render(request, "analytics/dashboard.html", {**drawn(figures), "tag": etag_of(figures)})


@allow("analytics.view_figures")
@require_safe
def live(request: HttpRequest) -> HttpResponse:
    """The live part alone, polled with If-None-Match: 304 while nothing moves. 503 if no figures were ever seen."""
    figures = current_figures()
    tag = etag_of(figures)
    if request.headers.get("If-None-Match") == tag:
        return HttpResponse(status=304, headers={"ETag": tag})
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    return HttpResponse(render(request, "analytics/figures.html", drawn(figures)).content, headers=headers)
