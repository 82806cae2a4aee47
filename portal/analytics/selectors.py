"""The figures that pages and the API show: live, or the last known ones and marked as stale."""

import hashlib
import json
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from portal.analytics.client import FiguresClient
from portal.analytics.models import LastFigures
from portal.errors import Unavailable
from portal.patients import extensions

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
    return {**figures, **extensions.totals(), "stale": stale}


def etag_of(figures: dict[str, Any]) -> str:
    """A tag that changes with the figures; the moment of asking and fractions of the lag do not count."""
    told = {**figures, "asOf": None, "lagSeconds": round(figures.get("lagSeconds") or 0)}
    return f'"{hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:32]}"'


def _keep(figures: dict[str, Any]) -> None:
    """Remember them for the time when the processor is away; not on every poll."""
    now = timezone.now()
    if not LastFigures.objects.filter(taken_at__gt=now - KEEP_EVERY).exists():
        LastFigures.objects.update_or_create(id=1, defaults={"figures": figures, "taken_at": now})
