"""Calls to the billing server. gRPC stays in this file: callers see three kinds of failure and plain values."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import grpc
from django.conf import settings

from protos.billing.v1 import billing_service_pb2 as messages
from protos.billing.v1 import billing_service_pb2_grpc

LARGEST_BATCH = 500
BATCH_SECONDS, CALL_SECONDS = 10.0, 5.0
AT_ONCE = 32  # Calls on their way together; the server turns away what is over its limit.
AWAY_CODES = ("UNAVAILABLE", "CANCELLED", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED")
_REFUSED_CODES = {"INVALID_ARGUMENT", "FAILED_PRECONDITION", "OUT_OF_RANGE"}
_OPTIONS = [
    ("grpc.use_local_subchannel_pool", 1),  # Else a new channel waits for the back-off of the one before.
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 5_000),
]


class BillingError(Exception):
    """A call failed; `code` is the gRPC status. The server's words are dropped: they may quote the patient."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class BillingAway(BillingError):
    """The server cannot be reached, or is too slow: nothing is wrong with what was asked."""


class BillingRefused(BillingError):
    """The same request will always be refused."""


class NoSuchAccount(BillingError):
    """The server has no account of this patient."""


@dataclass(frozen=True)
class Details:
    """What billing knows of a patient."""

    patient_id: UUID
    name: str
    email: str
    version: int


@dataclass(frozen=True)
class Opened:
    """The patient's account; `is_current` is False where it was there before with other details."""

    account_id: str
    is_current: bool


class BillingClient:
    """A channel that is opened on the first call: make this after any fork."""

    def __init__(self, address: str | None = None) -> None:
        self._address = address or settings.BILLING_GRPC_ADDRESS
        self._channel: grpc.Channel | None = None

    def open_accounts(self, many: Sequence[Details]) -> list[Opened]:
        """An account for each patient, in their order; the same call again gives the same accounts.

        At most 500. BillingError: then none, all or a part may have been opened.
        """
        requests = [_request(messages.CreateBillingAccountRequest, one) for one in many]
        request = messages.BatchCreateBillingAccountsRequest(requests=requests)
        answer = _answer(lambda: self._stub.BatchCreateBillingAccounts(request, timeout=BATCH_SECONDS))
        other = messages.CREATE_OUTCOME_EXISTED_WITH_OTHER_DETAILS
        return [Opened(one.account.account_id, one.outcome != other) for one in answer.responses]

    def update_accounts(self, many: Sequence[Details]) -> list[BillingError | None]:
        """Bring accounts up to the patients' versions, a few at once; for each, how it failed or None."""
        return [error for at in range(0, len(many), AT_ONCE) for error in self._update_few(many[at : at + AT_ONCE])]

    def _update_few(self, few: Sequence[Details]) -> list[BillingError | None]:
        requests = [_request(messages.UpdateBillingAccountRequest, one) for one in few]
        calls = [self._stub.UpdateBillingAccount.future(request, timeout=CALL_SECONDS) for request in requests]
        return [_failure(call) for call in calls]

    def close(self) -> None:
        channel, self._channel = self._channel, None
        if channel:
            channel.close()

    @property
    def _stub(self) -> Any:
        if self._channel is None:
            self._channel = grpc.insecure_channel(self._address, options=_OPTIONS)
        return billing_service_pb2_grpc.BillingServiceStub(self._channel)


def _request(kind: Any, one: Details) -> Any:
    return kind(patient_id=str(one.patient_id), name=one.name, email=one.email, patient_version=one.version)


def _failure(call: Any) -> BillingError | None:
    try:
        _answer(call.result)
    except BillingError as error:
        return error
    return None


def _answer(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except grpc.RpcError as error:
        # No `from error`: its text is the server's.
        raise _as_ours(error.code().name) from None


def _as_ours(code: str) -> BillingError:
    if code in AWAY_CODES:
        return BillingAway(code)
    if code == "NOT_FOUND":
        return NoSuchAccount(code)
    return BillingRefused(code) if code in _REFUSED_CODES else BillingError(code)
