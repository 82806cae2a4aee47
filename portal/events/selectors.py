"""Reads how far the relay is behind, and which of its peers are away."""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import Max, Min
from django.utils import timezone

from portal.events.leases import LEASE_NAME
from portal.events.models import QuarantinedEvent, RelayLease, RelayLoop
from portal.patients.models import EventOutbox

# Events that are counted; more get an upper bound, since to count a million takes 80 ms.
EXACT_COUNT_LIMIT = 10_000


@dataclass(frozen=True)
class RelayState:
    """How the relay is doing; times are in seconds, and None where there is nothing to measure.

    `waiting` is exact up to EXACT_COUNT_LIMIT. Above, it is an upper bound: the number of ids from
    the oldest to the newest.
    """

    waiting: int
    oldest_seconds: float | None
    quarantined: int
    lease_age_seconds: float | None
    is_led: bool


def relay_state() -> RelayState:
    """Returns the state of the relay, for readiness, metrics and the operators' page."""
    now = timezone.now()
    lease = RelayLease.objects.filter(pk=LEASE_NAME).first()
    return RelayState(
        waiting=_waiting(),
        oldest_seconds=_seconds(now, _oldest_waiting_at()),
        quarantined=QuarantinedEvent.objects.count(),
        lease_age_seconds=_seconds(now, lease.renewed_at) if lease else None,
        is_led=lease is not None and lease.expires_at > now,
    )


def seconds_away() -> dict[str, float]:
    """Returns for each loop how long its other side has been away; 0.0 while it answers."""
    now = timezone.now()
    return {loop.name: _seconds(now, loop.away_since) or 0.0 for loop in RelayLoop.objects.all()}


def _waiting() -> int:
    count = EventOutbox.objects.order_by()[: EXACT_COUNT_LIMIT + 1].count()
    if count <= EXACT_COUNT_LIMIT:
        return count
    span = EventOutbox.objects.aggregate(oldest=Min("event_id"), newest=Max("event_id"))
    return span["newest"] - span["oldest"] + 1 if span["newest"] else 0


def _oldest_waiting_at() -> datetime | None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pgh_created_at FROM patients_patientevent"
            " WHERE pgh_id = (SELECT min(event_id) FROM patients_eventoutbox)"
        )
        row = cursor.fetchone()
    return row[0] if row else None


def _seconds(now: datetime, then: datetime | None) -> float | None:
    return max(0.0, (now - then).total_seconds()) if then else None
