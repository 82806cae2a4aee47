"""The standard health service `grpc.health.v1`: whether calls can be answered now."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait

import grpc
import structlog
from grpc_health.v1.health import HealthServicer
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

from billing_grpc.accounts import StoreAway

OVERALL = ""  # The name under which the service tells of the server as a whole.
SECONDS_BETWEEN = 1.0  # Two checks of the database.
PATIENCE_SECONDS = 3.0  # A check that takes longer counts as failed.

log = structlog.get_logger("billing")

Send = Callable[[HealthCheckResponse | None], None]


class Health(HealthServicer):
    """The health service, on a thread of its own.

    So it answers even while every other thread waits for the database.
    """

    def __init__(self) -> None:
        thread = ThreadPoolExecutor(1, thread_name_prefix="health")
        super().__init__(experimental_thread_pool=thread)
        Health.Check.experimental_thread_pool = thread  # type: ignore[attr-defined]  # for gRPC
        self._watches: set[_Watch] = set()

    def Check(
        self, request: HealthCheckRequest, context: grpc.ServicerContext
    ) -> HealthCheckResponse:
        return super().Check(request, context)

    def Watch(
        self,
        request: HealthCheckRequest,
        context: grpc.ServicerContext,
        send_response_callback: Send,
    ) -> None:
        watch = _Watch(send_response_callback)
        self._watches.add(watch)
        context.add_callback(lambda: self._watches.discard(watch))
        super().Watch(request, context, watch)

    def end_watches(self) -> None:
        """Ends the open watches; a client that keeps one would keep the server from ending."""
        for watch in list(self._watches):
            watch(None)


class _Watch:
    """Sends to a watching client until it gets None, and nothing after that."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._is_ended = False

    def __call__(self, response: HealthCheckResponse | None) -> None:
        if not self._is_ended:
            self._is_ended = response is None
            self._send(response)


class Readiness(threading.Thread):
    """Checks the database every second, and tells the health service and the log of each change."""

    def __init__(
        self,
        health: HealthServicer,
        check: Callable[[], None],
        *,
        services: Sequence[str],
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        super().__init__(name="readiness", daemon=True)
        self._health = health
        self._check = check
        self._patience_seconds = patience_seconds
        self._names = (OVERALL, *services)
        self._checker = ThreadPoolExecutor(1, thread_name_prefix="check")
        self._ended = threading.Event()
        self._problem: str | None = "not checked yet"
        self._status: HealthCheckResponse.ServingStatus | None = None
        self._set_status(HealthCheckResponse.NOT_SERVING)

    def run(self) -> None:
        check: Future[None] | None = None
        while not self._ended.is_set():
            check = check or self._checker.submit(self._check)
            is_done = bool(wait([check], timeout=self._patience_seconds).done)
            self._record(_problem_of(check) if is_done else "no answer in time")
            if is_done:
                check = None
                self._ended.wait(SECONDS_BETWEEN)
        self._checker.shutdown(wait=False)

    def end(self) -> None:
        self._ended.set()

    def _record(self, problem: str | None) -> None:
        if problem != self._problem:
            self._problem = problem
            if problem:
                log.warning("not serving: the accounts cannot be reached", reason=problem)
            else:
                log.info("serving")
        self._set_status(
            HealthCheckResponse.NOT_SERVING if problem else HealthCheckResponse.SERVING
        )

    def _set_status(self, status: HealthCheckResponse.ServingStatus) -> None:
        if status != self._status:
            self._status = status
            for name in self._names:
                self._health.set(name, status)


def _problem_of(check: Future[None]) -> str | None:
    error = check.exception()
    if error is None:
        return None
    return str(error) if isinstance(error, StoreAway) else type(error).__name__
