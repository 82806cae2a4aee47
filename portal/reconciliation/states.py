"""Reads what analytics counted: each patient's state, and its figures against the states."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import IO, Any
from uuid import UUID

import httpx
from django.conf import settings

from portal.reconciliation.stores import StoreAway

MOST_PATIENTS = 1_000  # In one request.
HEADER = b"patient_id,version,event_id,status,counted"
TIMEOUT = httpx.Timeout(30.0, connect=5.0)  # Seconds.
LONG_SECONDS = 300.0  # The audit and a recount look at every state before they answer.
_AWAY = "Analytics does not answer. See ANALYTICS_URL and its /health/ready, and check again."
_CUT_OFF = "Analytics broke off in the middle of its answer. Check again."
_OTHER_VERSION = (
    "Analytics answers in other words than ours. Run portal and analytics of one version."
)


class StatesClient:
    """A client that connects on the first call; each call raises StoreAway while it cannot."""

    def __init__(self, address: str | None = None) -> None:
        self._http = httpx.Client(
            base_url=(address or settings.ANALYTICS_URL).rstrip("/"),
            timeout=TIMEOUT,
            trust_env=False,
        )

    def read_all(self, lines: IO[bytes]) -> None:
        """Writes each state as a line of CSV for `read_state`."""
        with _raising_store_away(), self._http.stream("GET", "/states") as answer:
            _copy_states(answer.raise_for_status(), lines)

    def read(self, patient_ids: Sequence[UUID], lines: IO[bytes]) -> None:
        """Writes the states of these patients; a patient without a state has no line."""
        for first in range(0, len(patient_ids), MOST_PATIENTS):
            few = patient_ids[first : first + MOST_PATIENTS]
            body = {"patients": [str(patient_id) for patient_id in few]}
            with _raising_store_away(), self._http.stream("POST", "/states", json=body) as answer:
                _copy_states(answer.raise_for_status(), lines)

    def audit(self) -> list[dict[str, Any]]:
        """Returns the figures that do not follow from the states, with what they should be."""
        with _raising_store_away():
            answer = self._http.get("/audit", timeout=LONG_SECONDS).raise_for_status()
            return list(answer.json()["differences"])

    def recount(self, forget: Sequence[UUID]) -> int:
        """Makes analytics forget these patients, at most 1,000, and count the rest anew.

        Returns how many figures changed.
        """
        body = {"forget": [str(patient_id) for patient_id in forget]}
        with _raising_store_away():
            answer = self._http.post("/recount", json=body, timeout=LONG_SECONDS)
            return int(answer.raise_for_status().json()["changed"])

    def close(self) -> None:
        self._http.close()


def _copy_states(answer: httpx.Response, lines: IO[bytes]) -> None:
    """Copies the lines between the header and the last line, which has their number.

    Raises StoreAway if either is not as agreed.
    """
    rows, promised = 0, None
    for number, line in enumerate(_lines(answer.iter_bytes(1 << 16))):
        if number == 0 and line != HEADER:
            raise StoreAway(_OTHER_VERSION)
        if line.startswith(b"end,"):
            promised = int(line[4:])
        elif number:
            lines.write(line + b"\n")
            rows += 1
    if promised != rows:
        raise StoreAway(_CUT_OFF)


def _lines(parts: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for part in parts:
        *whole, rest = (rest + part).split(b"\n")
        yield from (line.rstrip(b"\r") for line in whole)
    if rest:
        yield rest


@contextmanager
def _raising_store_away() -> Iterator[None]:
    try:
        yield
    except (httpx.HTTPError, ValueError, KeyError) as error:
        raise StoreAway(_AWAY) from error
