"""The gaps loop of the relay: patients of whom the stream processor never counted an event get all of theirs again."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

import httpx
import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from portal.events.leases import require_lease
from portal.events.replay import replay_patients
from portal.relay_loops import Round

log = structlog.get_logger("portal.events")
CHECK_SECONDS = 3.0
YOUNG_GAP = timedelta(seconds=5)  # Events on their way leave gaps that close by themselves.
FIRST_WAIT_SECONDS, LAST_WAIT_SECONDS = 30.0, 3_600.0
MOST_PATIENTS, MOST_GAPS = 500, 10_000
TIMEOUT = httpx.Timeout(2.0, connect=1.0)


@dataclass(frozen=True)
class Gap:
    """A patient with an event missing, and since when that is known."""

    patient_id: UUID
    since: datetime


class GapSource(Protocol):
    """Who knows the gaps; `GapsClient` asks the stream processor."""

    def gaps(self, limit: int) -> list[Gap]: ...


class GapsClient:
    """The stream processor's `/gaps`. Make it after any fork."""

    def __init__(self, address: str) -> None:
        self._http = httpx.Client(base_url=address, timeout=TIMEOUT, trust_env=False)

    def gaps(self, limit: int) -> list[Gap]:
        """The oldest first. HTTPError or ValueError when it does not answer as agreed."""
        answer = self._http.get("/gaps", params={"limit": limit}).raise_for_status().json()
        return [
            Gap(UUID(one["patientId"]), datetime.fromisoformat(one["since"]))
            for one in answer["gaps"]
        ]

    def close(self) -> None:
        self._http.close()


class GapsLoop:
    """Looks every three seconds. What fills no gap is sent again ever more seldom: it may lie in dead letter."""

    def __init__(
        self, counts: GapSource | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._counts, self._clock = counts or GapsClient(settings.ANALYTICS_URL), clock
        self._look_at = float("-inf")
        self._is_away = False
        self._waits: dict[
            UUID, tuple[float, float]
        ] = {}  # When to send again, and how long to wait after that.

    def step(self, fence: int) -> Round:
        if self._clock() >= self._look_at:
            self._look_at = self._clock() + CHECK_SECONDS
            try:
                gaps = self._counts.gaps(min(MOST_PATIENTS + len(self._waits), MOST_GAPS))
            except (httpx.HTTPError, ValueError, KeyError):
                self._is_away = True
            else:
                self._is_away = False
                return self._fill(gaps, fence)
        return Round.AWAY if self._is_away else Round.IDLE

    def close(self) -> None:
        if isinstance(self._counts, GapsClient):
            self._counts.close()

    def _fill(self, gaps: Sequence[Gap], fence: int) -> Round:
        """Put back what is due, once for all of them; LeaseLost when another process leads."""
        open_now = {gap.patient_id for gap in gaps}
        self._waits = {
            patient: wait for patient, wait in self._waits.items() if patient in open_now
        }
        old = [gap.patient_id for gap in gaps if timezone.now() - gap.since >= YOUNG_GAP]
        due = [patient for patient in old if self._is_due(patient)][:MOST_PATIENTS]
        if not due:
            return Round.IDLE
        with transaction.atomic():
            require_lease(fence)
            count = replay_patients(due)
        for patient in due:
            _, wait = self._waits.get(patient, (0.0, FIRST_WAIT_SECONDS))
            self._waits[patient] = self._clock() + wait, min(wait * 2, LAST_WAIT_SECONDS)
        log.warning("gaps_filled", patients=len(due), events=count)
        return Round.DONE

    def _is_due(self, patient: UUID) -> bool:
        return patient not in self._waits or self._clock() >= self._waits[patient][0]
