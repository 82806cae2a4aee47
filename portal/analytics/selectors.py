"""The figures that pages and the API show: live, or the last known ones and marked as stale."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from portal.analytics.client import FiguresClient
from portal.analytics.models import LastFigures
from portal.errors import Unavailable
from portal.patients import annexes

KEEP_EVERY = timedelta(seconds=10)
client = FiguresClient(settings.ANALYTICS_URL)


def current_figures(source: FiguresClient | None = None) -> dict[str, Any]:
    """The contract's figures with `stale`; Unavailable only if none were ever seen."""
    try:
        figures, stale = (source or client).figures(), False
        _keep(figures)
    except Unavailable:
        last = LastFigures.objects.first()
        if last is None:
            raise
        figures, stale = last.figures, True
    return {**figures, **annexes.totals(), "stale": stale}


def _keep(figures: dict[str, Any]) -> None:
    """Remember them for the time when the processor is away; not on every poll."""
    now = timezone.now()
    if not LastFigures.objects.filter(taken_at__gt=now - KEEP_EVERY).exists():
        LastFigures.objects.update_or_create(id=1, defaults={"figures": figures, "taken_at": now})
