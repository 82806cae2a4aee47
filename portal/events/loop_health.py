"""Tells whether the other side of each relay loop answers, stored in a row for each loop.

So a peer that is away shows before anything waits for it.
"""

import time
from collections.abc import Callable
from datetime import datetime

import structlog
from django.db import Error as DatabaseError
from django.db import connection, transaction
from django.utils import timezone

from portal.events.leases import require_lease
from portal.events.models import RelayLoop
from portal.relay_loops import LeaseLost

log = structlog.get_logger("portal.relay")
AWAY = "Away"  # Stored where a loop says so itself, instead of the kind of an error.
WRITE_SECONDS = 2.0  # Between two writes of one loop at least.


class LoopHealth:
    """Tells whether a loop's other side answers; written on change, every two seconds at most."""

    def __init__(self, loop: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._loop, self._clock = loop, clock
        self._fence = 0
        self._away_since: datetime | None = None
        self._written: tuple[datetime | None, str] | None = None
        self._write_at = float("-inf")

    def record(self, error: str, *, began: datetime, fence: int) -> None:
        """Records how a round that began then ended: the kind of its error, or "". Never raises."""
        if fence != self._fence:  # Another process may have written meanwhile.
            self._fence, self._written = fence, None
        self._away_since = (self._away_since or began) if error else None
        state = self._away_since, error
        if state != self._written and self._clock() >= self._write_at:
            self._write_at = self._clock() + WRITE_SECONDS
            self._write(state)

    def _write(self, state: tuple[datetime | None, str]) -> None:
        values = {"away_since": state[0], "error": state[1][:60], "looked_at": timezone.now()}
        try:
            with transaction.atomic():
                require_lease(self._fence)
                RelayLoop.objects.update_or_create(name=self._loop, defaults=values)
        except LeaseLost:
            return  # The next leader writes its own.
        except DatabaseError as error:
            log.warning("loop_health_not_written", loop=self._loop, error=type(error).__name__)
            connection.close()
            return
        self._written = state
