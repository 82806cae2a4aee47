"""The figures that pages and the API show: live, or the last snapshot, marked as stale."""

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

SNAPSHOT_INTERVAL = timedelta(seconds=10)  # A snapshot is stored at most this often.
client = FiguresClient(settings.ANALYTICS_URL)


def read_figures() -> dict[str, Any]:
    """Returns the figures of the API with `stale`. Raises Unavailable when there is no snapshot."""
    try:
        figures, is_stale = client.figures(), False
        _store_snapshot(figures)
    except Unavailable:
        snapshot = LastFigures.objects.first()
        if snapshot is None:
            raise
        figures, is_stale = snapshot.figures, True
    return {**figures, **extensions.totals(), "stale": is_stale}


def compute_etag(figures: dict[str, Any]) -> str:
    """Returns a tag that changes with the figures, but not with `asOf` or a fraction of the lag."""
    lag_seconds = round(figures.get("lagSeconds") or 0)
    tagged = {**figures, "asOf": None, "lagSeconds": lag_seconds}
    return f'"{hashlib.sha256(json.dumps(tagged, sort_keys=True).encode()).hexdigest()[:32]}"'


def _store_snapshot(figures: dict[str, Any]) -> None:
    """Stores the figures for the time when the stream processor is away; not with every poll."""
    now = timezone.now()
    if not LastFigures.objects.filter(taken_at__gt=now - SNAPSHOT_INTERVAL).exists():
        LastFigures.objects.update_or_create(id=1, defaults={"figures": figures, "taken_at": now})
