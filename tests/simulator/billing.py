"""Billing's server behind a network that loses or delays requests and replies.

`Channel` replaces gRPC's: the portal's own client calls it, and it calls billing's own servicer,
rules and store.
"""

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import grpc

from billing_grpc.calls import Calls
from billing_grpc.server import SERVICES
from billing_grpc.servicer import BillingService
from billing_grpc.store import Store
from protos.billing.v1 import billing_service_pb2_grpc
from tests.simulator.processes import point

HEALTH, SERVING = "/grpc.health.v1.Health/Check", b"\x08\x01"
TROUBLES = ("request lost", "reply lost", "request late", "server failed", "server is full")


class CallFailed(grpc.RpcError):
    """A call's end, as gRPC raises it at the caller's."""

    def __init__(self, code: grpc.StatusCode, text: str = "") -> None:
        super().__init__(text)
        self._code, self._text = code, text

    def code(self) -> grpc.StatusCode:
        return self._code

    def details(self) -> str:
        return self._text


class Context:
    """The part of a call that a method of the server sees."""

    def is_active(self) -> bool:
        return True

    def abort(self, code: grpc.StatusCode, details: str) -> None:
        raise CallFailed(code, details)


@dataclass(frozen=True)
class Details:
    """The part of a call that an interceptor sees."""

    method: str
    invocation_metadata: tuple[()] = ()


class Handlers:
    """Takes what generated code adds to a server, and finds the handler of a method."""

    def __init__(self) -> None:
        self._generic: list[grpc.GenericRpcHandler] = []
        self._calls = Calls(SERVICES)

    def add_generic_rpc_handlers(self, handlers: tuple[grpc.GenericRpcHandler, ...]) -> None:
        self._generic += handlers

    def add_registered_method_handlers(self, service: str, handlers: dict[str, Any]) -> None:
        """Does nothing: the generic handlers are enough."""

    def find(self, method: str) -> grpc.RpcMethodHandler:
        details = Details(method)
        found = self._calls.intercept_service(self._generic_handler, details)
        if found is None:
            raise CallFailed(grpc.StatusCode.UNIMPLEMENTED)
        return found

    def _generic_handler(self, details: Details) -> grpc.RpcMethodHandler | None:
        return next(filter(None, (handler.service(details) for handler in self._generic)), None)


@dataclass
class Billing:
    """The server and the network before it, and what goes wrong next."""

    store: Store
    is_away: bool = False
    troubles: deque[str] = field(default_factory=deque)
    _late: list[tuple[str, bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._handlers = Handlers()
        billing_service_pb2_grpc.add_BillingServiceServicer_to_server(
            BillingService(self.store), self._handlers
        )

    def call(self, method: str, request: bytes) -> bytes:
        """The reply's bytes. Raises CallFailed."""
        point("billing is called")
        if method == HEALTH and not self.is_away:
            return SERVING
        trouble = self.troubles.popleft() if self.troubles else ""
        if self.is_away:
            raise CallFailed(grpc.StatusCode.UNAVAILABLE)
        if trouble == "server is full":
            raise CallFailed(grpc.StatusCode.RESOURCE_EXHAUSTED)
        if trouble == "server failed":
            raise CallFailed(grpc.StatusCode.INTERNAL)
        if trouble == "request late":
            self._late.append((method, request))
        if trouble in ("request lost", "request late"):
            raise CallFailed(grpc.StatusCode.DEADLINE_EXCEEDED)
        reply = self._serve(method, request)
        point("billing has answered")
        if trouble == "reply lost":
            raise CallFailed(grpc.StatusCode.UNAVAILABLE)
        return reply

    def late_requests_come_in(self) -> None:
        """Serves delayed requests; their callers have given up."""
        late, self._late = self._late, []
        for method, request in late:
            with suppress(CallFailed):
                self._serve(method, request)

    def _serve(self, method: str, request: bytes) -> bytes:
        handler = self._handlers.find(method)
        answer = handler.unary_unary(handler.request_deserializer(request), Context())
        return handler.response_serializer(answer)


class Done:
    """A call that was made at once, as a future."""

    def __init__(self, call: Callable[[], Any]) -> None:
        self._reply, self._error = None, None
        try:
            self._reply = call()
        except CallFailed as error:
            self._error = error

    def result(self, timeout: float | None = None) -> Any:
        if self._error:
            raise self._error
        return self._reply


class Channel:
    """gRPC's channel, as far as generated stubs use it."""

    def __init__(self, billing: Billing) -> None:
        self._billing = billing

    def unary_unary(
        self, method: str, request_serializer: Any, response_deserializer: Any, **_: Any
    ) -> "Method":
        def call(request: Any) -> Any:
            return response_deserializer(self._billing.call(method, request_serializer(request)))

        return Method(call)

    def close(self) -> None:
        """Does nothing: the channel holds no resource."""


@dataclass(frozen=True)
class Method:
    """A method of a stub."""

    call: Callable[[Any], Any]

    def __call__(self, request: Any, timeout: float | None = None, **_: Any) -> Any:
        return self.call(request)

    def future(self, request: Any, timeout: float | None = None, **_: Any) -> Done:
        return Done(lambda: self.call(request))
