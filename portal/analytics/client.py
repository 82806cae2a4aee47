"""The HTTP client of the stream processor. One process asks at most every 300 ms, however many
browsers poll."""

import threading
from typing import Any

from django.core.cache import cache
from django.utils import timezone

from portal.errors import Unavailable
from portal.lean_imports import hidden

with hidden("rich"):
    import httpx

TTL_SECONDS = 0.3  # An answer, or the lack of one, is served again for so long.
TIMEOUT = httpx.Timeout(1.5, connect=0.5)  # seconds
AWAY = "away"  # The cached value while the stream processor does not answer.


class FiguresClient:
    """Fetches figures with the ETag of the last answer. It is safe for threads.

    The connection is made with the first request, so after any fork.
    """

    def __init__(self, address: str) -> None:
        self._address = address.rstrip("/")
        self._key = f"analytics.figures.{self._address}"
        self._lock = threading.Lock()
        self._http: httpx.Client | None = None
        self._etag = ""
        self._figures: dict[str, Any] = {}

    def figures(self) -> dict[str, Any]:
        """Returns the figures of the stream processor.

        Raises Unavailable when it does not answer within 1.5 s. That is cached like figures, so
        that callers who waited for the lock do not wait for another time-out.
        """
        with self._lock:
            figures: dict[str, Any] | str | None = cache.get(self._key)
            if figures is None:
                figures = self._fetch()
                cache.set(self._key, figures, TTL_SECONDS)
        if isinstance(figures, str):
            raise Unavailable("The figures are away for the moment.")
        return figures

    def _fetch(self) -> dict[str, Any] | str:
        """Asks the stream processor and returns its figures, or AWAY."""
        self._http = self._http or httpx.Client(timeout=TIMEOUT, trust_env=False)
        headers = {"If-None-Match": self._etag} if self._etag else {}
        try:
            answer = self._http.get(f"{self._address}/figures", headers=headers)
            if answer.status_code == httpx.codes.NOT_MODIFIED:  # The figures are still true, now.
                self._figures = {**self._figures, "asOf": timezone.now().isoformat()}
                return self._figures
            answer.raise_for_status()
            self._figures = answer.json()
        except (httpx.HTTPError, ValueError):
            return AWAY
        self._etag = answer.headers.get("ETag", "")
        return self._figures
