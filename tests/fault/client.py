"""A client of the REST API on a bad line, which records what it knows of each request."""

import threading
import time
from typing import Any

import httpx

from tests.fault.history import NO_PROBLEM, Operation, Outcome

TIMEOUT = httpx.Timeout(8.0, connect=3.0)  # seconds
RENEW_SECONDS = 600
ATTEMPTS = 12
PAUSE_SECONDS = 1.0
IN_FLIGHT = 409  # the status while the first request with a key is under way
PROBLEM = "application/problem+json"


class Api:
    """An API client of the front desk. Any number of threads may call it."""

    def __init__(self, address: str, *, email: str, password: str) -> None:
        limits = httpx.Limits(max_connections=64, keepalive_expiry=2.0)
        self._http = httpx.Client(base_url=address, timeout=TIMEOUT, limits=limits, trust_env=False)
        self._credentials = {"email": email, "password": password}
        self._lock = threading.Lock()
        self._bearer, self._renew_at = "", 0.0

    def close(self) -> None:
        self._http.close()

    def ask(
        self, operation: Operation, method: str, path: str, **options: Any
    ) -> httpx.Response | None:
        """Sends a request once and records the outcome. Returns None if no answer came."""
        headers = {"X-Request-Id": operation.request_id, **options.pop("headers", {})}
        try:
            answer = self._http.request(
                method, path, headers={**headers, **self._authorization()}, **options
            )
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            return self._note(operation, Outcome.FAILED, error)  # It was never sent.
        except httpx.HTTPError as error:
            return self._note(operation, Outcome.UNKNOWN, error)
        operation.statuses.append(answer.status_code)
        operation.outcome = _outcome(answer.status_code)
        if answer.is_error and not answer.headers.get("Content-Type", "").startswith(PROBLEM):
            operation.errors.append(NO_PROBLEM)
        return answer

    def ask_until_final(
        self, operation: Operation, method: str, path: str, **options: Any
    ) -> httpx.Response | None:
        """Repeats a request until its answer is final; an idempotency key must make that safe."""
        answer, was_sent = None, False
        for _ in range(ATTEMPTS):
            answer = self.ask(operation, method, path, **options)
            was_sent = was_sent or operation.outcome is Outcome.UNKNOWN
            if operation.outcome is Outcome.OK or (answer is not None and _is_final(answer)):
                return answer
            time.sleep(PAUSE_SECONDS)
        if was_sent:
            operation.outcome = Outcome.UNKNOWN
        return answer

    def _note(self, operation: Operation, outcome: Outcome, error: Exception) -> None:
        operation.statuses.append(0)
        operation.errors.append(type(error).__name__)
        operation.outcome = outcome

    def _authorization(self) -> dict[str, str]:
        with self._lock:
            if time.monotonic() > self._renew_at:
                answer = self._http.post("/auth/login", json=self._credentials)
                if answer.status_code != httpx.codes.OK:
                    raise httpx.ConnectError("no token")  # The request itself is not sent.
                self._bearer = f"Bearer {answer.json()['token']}"
                self._renew_at = time.monotonic() + RENEW_SECONDS
        return {"Authorization": self._bearer}


def _outcome(status: int) -> Outcome:
    if status < 400:
        return Outcome.OK
    return Outcome.FAILED if status < 500 else Outcome.UNKNOWN


def _is_final(answer: httpx.Response) -> bool:
    if answer.status_code == IN_FLIGHT:
        return "in-flight" not in answer.text
    return answer.status_code < 500
