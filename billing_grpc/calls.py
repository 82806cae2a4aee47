"""Wraps every billing call: errors become gRPC statuses, and each call leaves one log line."""

import time
from collections.abc import Callable, Collection
from typing import Any

import grpc
import structlog

from billing_grpc.accounts import InvalidRequest, NoAccount, StoreAway

# That a refusal names: it travels in a header, and clients refuse headers above 8 kB.
MOST_PROBLEMS = 20

log = structlog.get_logger("billing")

Behaviour = Callable[[Any, grpc.ServicerContext], Any]


class Calls(grpc.ServerInterceptor):
    """Wraps the calls of the named services; health and reflection stay as they are."""

    def __init__(self, services: Collection[str]) -> None:
        self._services = services

    def intercept_service(
        self, continuation: Callable[..., Any], handler_call_details: grpc.HandlerCallDetails
    ) -> grpc.RpcMethodHandler | None:
        handler = continuation(handler_call_details)
        method = handler_call_details.method.removeprefix("/")
        if handler is None or method.partition("/")[0] not in self._services:
            return handler
        return grpc.unary_unary_rpc_method_handler(
            _guarded(method, handler.unary_unary),
            handler.request_deserializer,
            handler.response_serializer,
        )


def _guarded(method: str, behaviour: Behaviour) -> Behaviour:
    def answer(request: Any, context: grpc.ServicerContext) -> Any:
        if not context.is_active():
            return None  # The caller gave up while the call waited for a thread.
        began = time.perf_counter()
        try:
            response = behaviour(request, context)
        except Exception as error:
            code, details = status_of(error)
            _log(method, code, began, error)
            context.abort(code, details)
        _log(method, grpc.StatusCode.OK, began)
        return response

    return answer


def status_of(error: Exception) -> tuple[grpc.StatusCode, str]:
    """Returns the status and the text that a caller gets.

    The text never quotes a value, an SQL statement or an unforeseen error.
    """
    match error:
        case InvalidRequest():
            return grpc.StatusCode.INVALID_ARGUMENT, _problems_of(error)
        case NoAccount():
            return grpc.StatusCode.NOT_FOUND, "the patient has no billing account"
        case StoreAway():
            return (
                grpc.StatusCode.UNAVAILABLE,
                "the accounts cannot be reached now; try again later",
            )
    return grpc.StatusCode.INTERNAL, "the billing server failed; its log says where"


def _problems_of(error: InvalidRequest) -> str:
    named = [f"{problem.field}: {problem.text}" for problem in error.problems[:MOST_PROBLEMS]]
    left = len(error.problems) - len(named)
    return "; ".join(named + ([f"and {left} more"] if left else []))


def _log(method: str, code: grpc.StatusCode, began: float, error: Exception | None = None) -> None:
    line = {
        "method": method,
        "status": code.name,
        "duration_ms": round((time.perf_counter() - began) * 1000, 1),
    }
    match code:
        case grpc.StatusCode.UNAVAILABLE:
            log.warning("call", **line, reason=str(error))
        case grpc.StatusCode.INTERNAL:
            log.error("call", **line, exc_info=error)
        case _:
            log.info("call", **line)
