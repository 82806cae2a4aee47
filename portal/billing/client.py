"""Calls to the billing server. gRPC stays in this file: callers see three kinds of failure and plain values."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import grpc
from django.conf import settings

from protos.billing.v1 import billing_service_pb2 as messages
from protos.billing.v1 import billing_service_pb2_grpc

LARGEST_BATCH, LARGEST_PAGE = 500, 1_000
BATCH_SECONDS, CALL_SECONDS, CHECK_SECONDS = 10.0, 5.0, 2.0
CALLS_AT_ONCE = 32  # Calls on their way together; the server turns away what is over its limit.
AWAY_CODES = ("UNAVAILABLE", "CANCELLED", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED")
_REFUSED_CODES = {"INVALID_ARGUMENT", "FAILED_PRECONDITION", "OUT_OF_RANGE"}
_STATUS = {False: messages.ACCOUNT_STATUS_ACTIVE, True: messages.ACCOUNT_STATUS_CLOSED}
# The standard health service, asked and read as bytes: one message of one number is not worth another package.
_HEALTH, _SERVING = "/grpc.health.v1.Health/Check", b"\x08\x01"
_OPTIONS = [
    (
        "grpc.use_local_subchannel_pool",
        1,
    ),  # Else a new channel waits for the back-off of the one before.
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
    """What billing is told of a patient; `is_closed` where the account is to be closed."""

    patient_id: UUID
    name: str
    email: str
    version: int
    is_closed: bool = False


@dataclass(frozen=True)
class Account:
    """An account as billing has it."""

    account_id: str
    patient_id: UUID
    patient_version: int
    is_closed: bool


@dataclass(frozen=True)
class OpenedAccount:
    """The patient's account; `is_current` is False where it was there before and stands otherwise than asked for."""

    account: Account
    is_current: bool


class BillingClient:
    """A channel that is opened on the first call: make this after any fork."""

    def __init__(self, address: str | None = None) -> None:
        self._address = address or settings.BILLING_GRPC_ADDRESS
        self._channel: grpc.Channel | None = None

    def check(self) -> None:
        """BillingAway unless the server answers and can read its accounts. It leaves no line in the log there."""
        ask = self._open_channel.unary_unary(
            _HEALTH, request_serializer=bytes, response_deserializer=bytes
        )
        try:
            answer = _answer(lambda: ask(b"", timeout=CHECK_SECONDS))
        except BillingAway:
            raise
        except BillingError:
            return  # A server without this service is there all the same.
        if answer != _SERVING:
            raise BillingAway("UNAVAILABLE")

    def open_accounts(self, many: Sequence[Details]) -> list[OpenedAccount]:
        """An account for each patient, in their order; the same call again gives the same accounts.

        It opens and never closes: a patient whose account is to be closed needs an update too.
        At most 500. BillingError: then none, all or a part may have been opened.
        """
        requests = [_request(messages.CreateBillingAccountRequest, one) for one in many]
        request = messages.BatchCreateBillingAccountsRequest(requests=requests)
        answer = _answer(
            lambda: self._stub.BatchCreateBillingAccounts(request, timeout=BATCH_SECONDS)
        )
        return [_opened(one, asked) for one, asked in zip(answer.responses, many, strict=True)]

    def update_accounts(self, many: Sequence[Details]) -> list[Account | BillingError]:
        """Bring accounts up to the patients' versions, a few at once; for each, how it stands now or how it failed.

        When billing answers no more, the rest is not tried: each few would wait for their deadlines.
        """
        answers: list[Account | BillingError] = []
        while len(answers) < len(many):
            answers += self._update_few(many[len(answers) : len(answers) + CALLS_AT_ONCE])
            away = next((one for one in answers if isinstance(one, BillingAway)), None)
            if away:
                answers += [away] * (len(many) - len(answers))
        return answers

    def _update_few(self, few: Sequence[Details]) -> list[Account | BillingError]:
        requests = [
            _request(messages.UpdateBillingAccountRequest, one, status=_STATUS[one.is_closed])
            for one in few
        ]
        calls = [
            self._stub.UpdateBillingAccount.future(request, timeout=CALL_SECONDS)
            for request in requests
        ]
        return [_account_or_error(call) for call in calls]

    def get_account(self, patient_id: UUID) -> Account | None:
        """None where the patient has no account."""
        request = messages.GetBillingAccountRequest(patient_id=str(patient_id))
        try:
            return _account(
                _answer(lambda: self._stub.GetBillingAccount(request, timeout=CALL_SECONDS)).account
            )
        except NoSuchAccount:
            return None

    def list_accounts(self) -> Iterator[Account]:
        """Every account in the order of account ids, one page in memory; one opened meanwhile may be missed."""
        request = messages.ListBillingAccountsRequest(page_size=LARGEST_PAGE)
        while True:
            page = _answer(lambda: self._stub.ListBillingAccounts(request, timeout=BATCH_SECONDS))
            yield from map(_account, page.accounts)
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    def close_account(self, patient_id: UUID) -> Account:
        """Close it at whatever version, for a patient who is no longer here; NoSuchAccount where there is none."""
        request = messages.CloseBillingAccountRequest(patient_id=str(patient_id))
        return _account(
            _answer(lambda: self._stub.CloseBillingAccount(request, timeout=CALL_SECONDS)).account
        )

    def close(self) -> None:
        channel, self._channel = self._channel, None
        if channel:
            channel.close()

    @property
    def _open_channel(self) -> Any:
        if self._channel is None:
            self._channel = grpc.insecure_channel(self._address, options=_OPTIONS)
        return self._channel

    @property
    def _stub(self) -> Any:
        return billing_service_pb2_grpc.BillingServiceStub(self._open_channel)


def _request(kind: Any, one: Details, **more: Any) -> Any:
    return kind(
        patient_id=str(one.patient_id),
        name=one.name,
        email=one.email,
        patient_version=one.version,
        **more,
    )


def _opened(answer: Any, asked: Details) -> OpenedAccount:
    account = _account(answer.account)
    is_same = answer.outcome != messages.CREATE_OUTCOME_EXISTED_WITH_OTHER_DETAILS
    stands = (account.patient_version, account.is_closed) == (asked.version, asked.is_closed)
    return OpenedAccount(account, is_current=is_same and stands)


def _account(theirs: Any) -> Account:
    is_closed = theirs.status == messages.ACCOUNT_STATUS_CLOSED
    return Account(theirs.account_id, UUID(theirs.patient_id), theirs.patient_version, is_closed)


def _account_or_error(call: Any) -> Account | BillingError:
    try:
        return _account(_answer(call.result).account)
    except BillingError as error:
        return error


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
