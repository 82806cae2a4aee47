"""What the loops of the relay find, kept in a row each: a dead neighbour shows before anything waits for it."""

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
AWAY = "Away"
WRITE_SECONDS = 2.0


class LoopHealth:
    """Whether one loop's other side answers; written when that changes, at most every two seconds."""

    def __init__(self, loop: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._loop, self._clock = loop, clock
        self._fence = 0
        self._since: datetime | None = None
        self._written: tuple[datetime | None, str] | None = None
        self._write_at = float("-inf")

    def tell(self, error: str, *, began: datetime, fence: int) -> None:
        """A round that began then ended with this kind of error, or "" where it went well. Raises nothing."""
        if fence != self._fence:  # Another process may have written meanwhile.
            self._fence, self._written = fence, None
        self._since = (self._since or began) if error else None
        found = self._since, error
        if found != self._written and self._clock() >= self._write_at:
            self._write_at = self._clock() + WRITE_SECONDS
            self._write(found)

    def _write(self, found: tuple[datetime | None, str]) -> None:
        values = {"away_since": found[0], "error": found[1][:60], "looked_at": timezone.now()}
        try:
            with transaction.atomic():
                require_lease(self._fence)
                RelayLoop.objects.update_or_create(name=self._loop, defaults=values)
        except LeaseLost:
            return  # The next leader says what it finds.
        except DatabaseError as error:
            log.warning("finding_not_written", loop=self._loop, error=type(error).__name__)
            connection.close()
            return
        self._written = found
