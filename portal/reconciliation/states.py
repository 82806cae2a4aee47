"""What analytics counted, asked at its web door: each patient's state, and its figures against their states."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import IO, Any
from uuid import UUID

import httpx
from django.conf import settings

from portal.reconciliation.stores import StoreAway

MOST_PATIENTS = 1_000  # In one question.
HEADER = b"patient_id,version,event_id,status,counted"
TIMEOUT = httpx.Timeout(30.0, connect=5.0)
LONG_SECONDS = 300.0  # The audit and a recount look at every state before they answer.
_AWAY = "Analytics does not answer. See ANALYTICS_URL and its /health/ready, and check again."
_CUT_OFF = "Analytics broke off in the middle of its answer. Check again."


class StatesClient:
    """A connection that is opened on the first call. StoreAway from every call while analytics cannot answer."""

    def __init__(self, address: str | None = None) -> None:
        self._http = httpx.Client(
            base_url=(address or settings.ANALYTICS_URL).rstrip("/"),
            timeout=TIMEOUT,
            trust_env=False,
        )

    def read_all(self, lines: IO[bytes]) -> None:
        """Every state as a line of CSV for `read_state`."""
        with _told(), self._http.stream("GET", "/states") as answer:
            _keep(answer.raise_for_status(), lines)

    def read(self, patient_ids: Sequence[UUID], lines: IO[bytes]) -> None:
        """The states of these patients; one without a state has no line."""
        for few in in_chunks(patient_ids, MOST_PATIENTS):
            body = {"patients": [str(one) for one in few]}
            with _told(), self._http.stream("POST", "/states", json=body) as answer:
                _keep(answer.raise_for_status(), lines)

    def audit(self) -> list[dict[str, Any]]:
        """The figures that are not what states and events give: name, bucket, stored, expected."""
        with _told():
            return list(
                self._http.get("/audit", timeout=LONG_SECONDS)
                .raise_for_status()
                .json()["differences"]
            )

    def recount(self, forget: Sequence[UUID]) -> int:
        """Have these patients, at most 1,000, forgotten, and the figures made anew of the rest; how many changed."""
        with _told():
            answer = self._http.post(
                "/recount", json={"forget": [str(one) for one in forget]}, timeout=LONG_SECONDS
            )
            return int(answer.raise_for_status().json()["changed"])

    def close(self) -> None:
        self._http.close()


def in_chunks(many: Sequence[UUID], size: int) -> Iterator[Sequence[UUID]]:
    return (many[at : at + size] for at in range(0, len(many), size))


def _keep(answer: httpx.Response, lines: IO[bytes]) -> None:
    """All lines between the header and the end, which tells their number. StoreAway if either is not as agreed."""
    rows, ended = 0, None
    for number, line in enumerate(_lines(answer.iter_bytes(1 << 16))):
        if number == 0 and line != HEADER:
            raise StoreAway(
                "Analytics answers in other words than ours. Run portal and analytics of one version."
            )
        if line.startswith(b"end,"):
            ended = int(line[4:])
        elif number:
            lines.write(line + b"\n")
            rows += 1
    if ended != rows:
        raise StoreAway(_CUT_OFF)


def _lines(parts: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for part in parts:
        *whole, rest = (rest + part).split(b"\n")
        yield from (line.rstrip(b"\r") for line in whole)
    if rest:
        yield rest


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except (httpx.HTTPError, ValueError, KeyError) as error:
        raise StoreAway(_AWAY) from error
