"""The client of the billing server. gRPC stays here: callers see plain values and own errors."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import grpc
from django.conf import settings

from portal.billing.reasons import AWAY_CODES
from protos.billing.v1 import billing_service_pb2 as messages
from protos.billing.v1 import billing_service_pb2_grpc

LARGEST_BATCH, LARGEST_PAGE = 500, 1_000  # Accounts in one call, as the server allows.
BATCH_SECONDS, CALL_SECONDS, CHECK_SECONDS = 10.0, 5.0, 2.0  # Deadlines.
CALLS_AT_ONCE = 32  # Updates under way together; the server turns away what is over its limit.
UNREADABLE = "UNREADABLE"  # A code of ours: a request or an answer breaks the contract.
_REFUSED_CODES = {"INVALID_ARGUMENT", "FAILED_PRECONDITION", "OUT_OF_RANGE"}
_STATUS = {False: messages.ACCOUNT_STATUS_ACTIVE, True: messages.ACCOUNT_STATUS_CLOSED}
# The standard health service, in bytes: a message of a single number is not worth a package.
_HEALTH, _SERVING = "/grpc.health.v1.Health/Check", b"\x08\x01"
_OPTIONS = [
    # Without a pool of its own, a new channel waits for the back-off of the channel before.
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 5_000),
]


class BillingError(Exception):
    """A call failed; `code` is the gRPC status, or UNREADABLE.

    The server's text is dropped: it may quote the patient.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class BillingAway(BillingError):
    """The server cannot be reached, or is too slow; nothing is wrong with the request."""


class BillingRefused(BillingError):
    """The same request will always be refused."""


class NoSuchAccount(BillingError):
    """The server has no account of this patient."""


@dataclass(frozen=True)
class Details:
    """What billing is told of a patient; `is_closed` says that the account is to be closed."""

    patient_id: UUID | str
    name: str
    email: str
    version: int
    is_closed: bool = False


@dataclass(frozen=True)
class Account:
    """An account as billing has it.

    `patient_id` is None where another client of billing opened it for an id of its own.
    """

    account_id: str
    patient_id: UUID | str | None
    patient_version: int
    is_closed: bool


@dataclass(frozen=True)
class OpenedAccount:
    """The patient's account; `is_current` is False where an older one differs from the request."""

    account: Account
    is_current: bool


class BillingClient:
    """A client that opens its channel on the first call. Make it after any fork."""

    def __init__(self, address: str | None = None) -> None:
        self._address = address or settings.BILLING_GRPC_ADDRESS
        self._channel: grpc.Channel | None = None

    def check(self) -> None:
        """Raises BillingAway unless the server answers and can read its accounts.

        It leaves no line in the server's log.
        """
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

    def open_accounts(self, patients: Sequence[Details]) -> list[OpenedAccount]:
        """Opens an account for each of at most 500 patients; returns them in the same order.

        The same call again gives the same accounts. It opens and never closes: a patient whose
        account is to be closed needs an update too. After a BillingError none, all or a part may
        have been opened.
        """
        requests = [_request(messages.CreateBillingAccountRequest, details) for details in patients]
        request = messages.BatchCreateBillingAccountsRequest(requests=requests)
        answer = _answer(
            lambda: self._stub.BatchCreateBillingAccounts(request, timeout=BATCH_SECONDS)
        )
        if len(answer.responses) != len(patients):
            raise BillingError(UNREADABLE)
        return [
            _opened_account(response, details)
            for response, details in zip(answer.responses, patients, strict=True)
        ]

    def update_accounts(self, patients: Sequence[Details]) -> list[Account | BillingError]:
        """Brings accounts up to the patients' versions, CALLS_AT_ONCE together.

        Returns for each how it stands now, or how it failed. When billing answers no more, the rest
        is not tried: each group would wait for its deadlines.
        """
        answers: list[Account | BillingError] = []
        while len(answers) < len(patients):
            group = patients[len(answers) : len(answers) + CALLS_AT_ONCE]
            answers += self._update_group(group)
            away = next((answer for answer in answers if isinstance(answer, BillingAway)), None)
            if away:
                answers += [away] * (len(patients) - len(answers))
        return answers

    def _update_group(self, group: Sequence[Details]) -> list[Account | BillingError]:
        calls: list[Any] = []
        for details in group:
            status = _STATUS[details.is_closed]
            try:
                request = _request(messages.UpdateBillingAccountRequest, details, status=status)
            except BillingError as error:
                calls.append(error)
            else:
                calls.append(self._stub.UpdateBillingAccount.future(request, timeout=CALL_SECONDS))
        return [
            call if isinstance(call, BillingError) else _account_or_error(call) for call in calls
        ]

    def get_account(self, patient_id: UUID) -> Account | None:
        """Returns the patient's account, or None where there is none."""
        request = messages.GetBillingAccountRequest(patient_id=str(patient_id))
        try:
            answer = _answer(lambda: self._stub.GetBillingAccount(request, timeout=CALL_SECONDS))
        except NoSuchAccount:
            return None
        return _account(answer.account)

    def list_accounts(self) -> Iterator[Account]:
        """Yields every account in the order of account ids, with one page in memory.

        It may miss an account that is opened meanwhile.
        """
        request = messages.ListBillingAccountsRequest(page_size=LARGEST_PAGE)
        while True:
            page = _answer(lambda: self._stub.ListBillingAccounts(request, timeout=BATCH_SECONDS))
            yield from map(_account, page.accounts)
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    def close_account(self, patient_id: UUID) -> Account:
        """Closes an account at whatever version, for a patient who is no longer here.

        Raises NoSuchAccount where there is none.
        """
        request = messages.CloseBillingAccountRequest(patient_id=str(patient_id))
        answer = _answer(lambda: self._stub.CloseBillingAccount(request, timeout=CALL_SECONDS))
        return _account(answer.account)

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


def _request(kind: Any, details: Details, **more: Any) -> Any:
    try:
        return kind(
            patient_id=str(details.patient_id),
            name=details.name,
            email=details.email,
            patient_version=details.version,
            **more,
        )
    except (ValueError, TypeError):
        raise BillingError(UNREADABLE) from None  # The text may quote the patient.


def _opened_account(response: Any, details: Details) -> OpenedAccount:
    account = _account(response.account, asked_for=details)
    has_same_details = response.outcome != messages.CREATE_OUTCOME_EXISTED_WITH_OTHER_DETAILS
    has_same_state = (account.patient_version, account.is_closed) == (
        details.version,
        details.is_closed,
    )
    return OpenedAccount(account, is_current=has_same_details and has_same_state)


def _account(message: Any, *, asked_for: Details | None = None) -> Account:
    """Reads an account; the patient's id is not parsed again where it is the one `asked_for`."""
    is_closed = message.status == messages.ACCOUNT_STATUS_CLOSED
    patient_id: UUID | str | None = message.patient_id or None
    if patient_id and not (asked_for and patient_id == asked_for.patient_id):
        try:
            patient_id = UUID(message.patient_id)
        except ValueError:
            raise BillingError(UNREADABLE) from None
    return Account(message.account_id, patient_id, message.patient_version, is_closed)


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
        raise _billing_error(error.code().name) from None


def _billing_error(code: str) -> BillingError:
    if code in AWAY_CODES:
        return BillingAway(code)
    if code == "NOT_FOUND":
        return NoSuchAccount(code)
    return BillingRefused(code) if code in _REFUSED_CODES else BillingError(code)
