"""The dashboard: live figures with their age."""

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from portal.accounts.models import User
from portal.accounts.polling import polled
from portal.accounts.rules import allow, user_of
from portal.analytics.charts import chart_context
from portal.analytics.ranges import RANGES, find_range
from portal.analytics.selectors import compute_etag, read_figures
from portal.errors import Unavailable

RIGHT = "analytics.view_figures"
KIOSK_REGIONS = 8  # So many regions fit a screen of 1080 lines beside the other charts.


@allow(RIGHT)
@require_safe
def dashboard(request: HttpRequest) -> HttpResponse:
    """The whole page, with live figures or the last snapshot. Its script then polls the live part.

    `range` in the address is a key of RANGES. With `kiosk` the figures are alone on the screen.
    """
    template = f"analytics/{'kiosk' if _is_kiosk(request) else 'dashboard'}.html"
    try:
        figures = read_figures()
    except Unavailable:
        return render(request, template, {"state": "none", **_page_context(request)})
    context = {**_chart_context(request, figures), **_page_context(request)}
    return render(request, template, {**context, "tag": compute_etag(figures)})


@polled
@allow(RIGHT)
@require_safe
def live(request: HttpRequest) -> HttpResponse:
    """The live part of the page, polled with If-None-Match.

    Returns 304 while the figures are the same, and 503 when there are none.
    """
    figures = read_figures()
    tag = compute_etag(figures)
    if request.headers.get("If-None-Match") == tag:
        return HttpResponse(status=304, headers={"ETag": tag})
    response = render(request, "analytics/figures.html", _chart_context(request, figures))
    response.headers["ETag"] = tag
    response.headers["Cache-Control"] = "private, no-cache"
    return response


def _is_kiosk(request: HttpRequest) -> bool:
    return bool(request.GET.get("kiosk"))


def _chart_context(request: HttpRequest, figures: dict[str, Any]) -> dict[str, Any]:
    selected = find_range(request.GET.get("range"))
    if _is_kiosk(request):
        return chart_context(figures, selected, regions=KIOSK_REGIONS)
    return chart_context(figures, selected)


def _page_context(request: HttpRequest) -> dict[str, Any]:
    """The range and the links of the page, each of which keeps the range."""
    selected = find_range(request.GET.get("range"))
    path, query = reverse("analytics:dashboard"), urlencode({"range": selected.key})
    page, kiosk = f"{path}?{query}", f"{path}?{query}&kiosk=1"
    current = kiosk if _is_kiosk(request) else page
    return {
        "ranges": RANGES.values(),
        "range": selected,
        "kiosk_address": kiosk,
        "page_address": page,
        "live_address": current.replace(path, reverse("analytics:live"), 1),
        "sign_in_address": f"{reverse('accounts:sign-in')}?{urlencode({'next': current})}",
        "stays": _sees_only_figures(user_of(request)),
    }


def _sees_only_figures(user: User) -> bool:
    """Tells whether the user's only right is to see figures.

    Such a session may stay open on a wall for days; any other session has to end.
    """
    return not user.is_superuser and user.get_all_permissions() == {RIGHT}
