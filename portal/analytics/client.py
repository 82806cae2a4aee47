"""The stream processor's HTTP door, asked at most every 300 ms by one process however many browsers poll."""

import threading
import time
from typing import Any

import httpx
from django.utils import timezone

from portal.errors import Unavailable

FRESH_SECONDS = 0.3
TIMEOUT = httpx.Timeout(1.5, connect=0.5)


class FiguresClient:
    """Fetches figures with the ETag of the last answer. Safe for threads; its connection is made after any fork."""

    def __init__(self, address: str) -> None:
        self._address = address.rstrip("/")
        self._lock = threading.Lock()
        self._http: httpx.Client | None = None
        self._etag = ""
        self._figures: dict[str, Any] = {}
        self._asked_at = float("-inf")
        self._error: Exception | None = None

    def figures(self) -> dict[str, Any]:
        """The figures as the processor gives them; Unavailable if it does not answer within 1.5 s."""
        with self._lock:
            if time.monotonic() - self._asked_at > FRESH_SECONDS:
                self._error = self._ask()
                self._asked_at = time.monotonic()
            if self._error:
                raise Unavailable("The figures are away for the moment.") from self._error
            return self._figures

    def _ask(self) -> Exception | None:
        """What went wrong, which is kept like figures: who waited meanwhile does not wait for another time-out."""
        self._http = self._http or httpx.Client(timeout=TIMEOUT, trust_env=False)
        headers = {"If-None-Match": self._etag} if self._etag else {}
        try:
            answer = self._http.get(f"{self._address}/figures", headers=headers)
            if answer.status_code == httpx.codes.NOT_MODIFIED:
                self._figures = {
                    **self._figures,
                    "asOf": timezone.now().isoformat(),
                }  # Still true, now.
                return None
            answer.raise_for_status()
            self._figures = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            return error
        self._etag = answer.headers.get("ETag", "")
        return None
