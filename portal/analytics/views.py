"""The dashboard: figures that are seconds old, and say how old."""

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from portal.accounts.models import User
from portal.accounts.rules import allow, user_of
from portal.analytics.charts import drawn
from portal.analytics.ranges import RANGES, range_of
from portal.analytics.selectors import current_figures, etag_of
from portal.errors import Unavailable

RIGHT = "analytics.view_figures"
KIOSK_REGIONS = 8  # As many as fit a screen of 1080 lines with the rest.


@allow(RIGHT)
@require_safe
def dashboard(request: HttpRequest) -> HttpResponse:
    """The whole page with the figures of now, or the last known ones; then it asks for the live part by itself.

    `range` in the address is one of RANGES; with `kiosk` the figures are alone on the screen, as on a wall.
    """
    page = "kiosk" if _is_kiosk(request) else "dashboard"
    try:
        figures = current_figures()
    except Unavailable:
        return render(request, f"analytics/{page}.html", {"state": "none", **_addresses(request)})
    told = {**_drawn(request, figures), **_addresses(request), "tag": etag_of(figures)}
    return render(request, f"analytics/{page}.html", told)


@allow(RIGHT)
@require_safe
def live(request: HttpRequest) -> HttpResponse:
    """The live part alone, polled with If-None-Match: 304 while nothing moves. 503 if no figures were ever seen."""
    figures = current_figures()
    tag = etag_of(figures)
    if request.headers.get("If-None-Match") == tag:
        return HttpResponse(status=304, headers={"ETag": tag})
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    return HttpResponse(
        render(request, "analytics/figures.html", _drawn(request, figures)).content, headers=headers
    )


def _is_kiosk(request: HttpRequest) -> bool:
    return bool(request.GET.get("kiosk"))


def _drawn(request: HttpRequest, figures: dict[str, Any]) -> dict[str, Any]:
    shown = range_of(request.GET.get("range"))
    return (
        drawn(figures, shown, regions=KIOSK_REGIONS)
        if _is_kiosk(request)
        else drawn(figures, shown)
    )


def _addresses(request: HttpRequest) -> dict[str, Any]:
    """The links of the page: each keeps the range."""
    shown = range_of(request.GET.get("range"))
    page, words = reverse("analytics:dashboard"), {"range": shown.key}
    kiosk = f"{page}?{urlencode({**words, 'kiosk': 1})}"
    here = kiosk if _is_kiosk(request) else f"{page}?{urlencode(words)}"
    return {
        "ranges": RANGES.values(),
        "range": shown,
        "kiosk_address": kiosk,
        "page_address": f"{page}?{urlencode(words)}",
        "live_address": here.replace(page, reverse("analytics:live"), 1),
        "sign_in_address": f"{reverse('accounts:sign-in')}?{urlencode({'next': here})}",
        "stays": _sees_nothing_else(user_of(request)),
    }


def _sees_nothing_else(user: User) -> bool:
    """Whose only right it is to see figures may leave them on a wall for days; anybody else's session has to end."""
    return not user.is_superuser and user.get_all_permissions() == {RIGHT}
