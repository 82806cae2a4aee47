"""The gaps loop of the relay: a patient with an event that analytics never counted gets all again.

Analytics keeps a gap for each patient of whom it counted a later event but not an earlier one.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from portal.events.leases import require_lease
from portal.events.replay import replay_patients
from portal.lean_imports import hidden
from portal.relay_loops import Round

with hidden("rich"):
    import httpx

log = structlog.get_logger("portal.events")
CHECK_SECONDS = 3.0  # Between two questions to analytics.
YOUNG_GAP = timedelta(seconds=5)  # A younger gap may close by itself: its event is on its way.
FIRST_WAIT_SECONDS = 30.0  # Before a patient's events are sent again; doubled each time.
LAST_WAIT_SECONDS = 3_600.0  # The longest such wait.
MOST_PATIENTS = 500  # Patients whose events go back into the outbox in one round.
MOST_GAPS = 10_000  # Gaps in one answer of analytics.
TIMEOUT = httpx.Timeout(2.0, connect=1.0)  # Seconds.


@dataclass(frozen=True)
class Gap:
    """A patient with an event missing, and since when analytics knows."""

    patient_id: UUID
    since: datetime


class GapSource(Protocol):
    """Knows the gaps; `GapsClient` is the real one."""

    def gaps(self, limit: int) -> list[Gap]: ...


class GapsClient:
    """Asks analytics at `/gaps`. Make it after any fork."""

    def __init__(self, address: str) -> None:
        self._http = httpx.Client(base_url=address, timeout=TIMEOUT, trust_env=False)

    def gaps(self, limit: int) -> list[Gap]:
        """Returns the oldest gaps first.

        Raises HTTPError, ValueError or KeyError when analytics does not answer as agreed.
        """
        answer = self._http.get("/gaps", params={"limit": limit}).raise_for_status().json()
        gaps = [_read_gap(gap) for gap in answer["gaps"]]
        return [gap for gap in gaps if gap is not None]

    def close(self) -> None:
        self._http.close()


def _read_gap(gap: Mapping[str, str]) -> Gap | None:
    """Returns a gap, or None where it breaks the contract: it must not hide the others."""
    try:
        return Gap(UUID(gap["patientId"]), datetime.fromisoformat(gap["since"]))
    except ValueError:
        log.error("gap_unreadable")
        return None


@dataclass(frozen=True)
class _Wait:
    """When a patient's events may be sent again, and the seconds to wait after that."""

    until: float
    next_seconds: float


class GapsLoop:
    """Looks for gaps every three seconds, and sends again the events of their patients.

    Where that does not close a gap, the events may lie in dead letter: each next time it waits
    twice as long.
    """

    def __init__(
        self, source: GapSource | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._source, self._clock = source or GapsClient(settings.ANALYTICS_URL), clock
        self._check_at = float("-inf")
        self._is_away = False
        self._waits: dict[UUID, _Wait] = {}

    def step(self, fence: int) -> Round:
        if self._clock() >= self._check_at:
            self._check_at = self._clock() + CHECK_SECONDS
            try:
                # The patients that wait come first in the answer: leave room for others.
                gaps = self._source.gaps(min(MOST_PATIENTS + len(self._waits), MOST_GAPS))
            except (httpx.HTTPError, ValueError, KeyError):
                self._is_away = True
            else:
                self._is_away = False
                return self._fill(gaps, fence)
        return Round.AWAY if self._is_away else Round.IDLE

    def close(self) -> None:
        if isinstance(self._source, GapsClient):
            self._source.close()

    def _fill(self, gaps: Sequence[Gap], fence: int) -> Round:
        """Puts the due events back into the outbox. Raises LeaseLost when another process leads."""
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
            self._wait_longer(patient)
        log.warning("gaps_filled", patients=len(due), events=count)
        return Round.DONE

    def _is_due(self, patient: UUID) -> bool:
        return patient not in self._waits or self._clock() >= self._waits[patient].until

    def _wait_longer(self, patient: UUID) -> None:
        last = self._waits.get(patient)
        seconds = last.next_seconds if last else FIRST_WAIT_SECONDS
        self._waits[patient] = _Wait(self._clock() + seconds, min(seconds * 2, LAST_WAIT_SECONDS))
