"""Maps the messages of both contracts to the rules and back; `calls` takes the errors."""

from datetime import datetime
from functools import lru_cache
from uuid import UUID

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from billing_grpc import accounts as rules
from protos.billing.v1 import billing_service_pb2 as v1
from protos.billing.v1.billing_service_pb2_grpc import BillingServiceServicer
from protos.legacy import billing_service_pb2 as older
from protos.legacy.billing_service_pb2_grpc import (
    BillingServiceServicer as OlderBillingServiceServicer,
)

OUTCOMES = {
    rules.Outcome.OPENED: v1.CREATE_OUTCOME_OPENED,
    rules.Outcome.EXISTED: v1.CREATE_OUTCOME_EXISTED,
    rules.Outcome.EXISTED_WITH_OTHER_DETAILS: v1.CREATE_OUTCOME_EXISTED_WITH_OTHER_DETAILS,
}
IS_CLOSED = {
    v1.ACCOUNT_STATUS_UNSPECIFIED: None,
    v1.ACCOUNT_STATUS_ACTIVE: False,
    v1.ACCOUNT_STATUS_CLOSED: True,
}


class BillingService(BillingServiceServicer):
    """Serves `billing.v1.BillingService`."""

    def __init__(self, accounts: rules.Accounts) -> None:
        self._accounts = accounts

    def CreateBillingAccount(
        self, request: v1.CreateBillingAccountRequest, context: grpc.ServicerContext
    ) -> v1.CreateBillingAccountResponse:
        [opening] = rules.open_accounts(self._accounts, [rules.check_details(*_arguments(request))])
        return _opening(opening)

    def BatchCreateBillingAccounts(
        self, request: v1.BatchCreateBillingAccountsRequest, context: grpc.ServicerContext
    ) -> v1.BatchCreateBillingAccountsResponse:
        wanted = rules.check_batch([_arguments(item) for item in request.requests])
        openings = rules.open_accounts(self._accounts, wanted)
        return v1.BatchCreateBillingAccountsResponse(
            responses=[_opening(opening) for opening in openings]
        )

    def GetBillingAccount(
        self, request: v1.GetBillingAccountRequest, context: grpc.ServicerContext
    ) -> v1.GetBillingAccountResponse:
        return v1.GetBillingAccountResponse(
            account=_account(rules.find_account(self._accounts, request.patient_id))
        )

    def UpdateBillingAccount(
        self, request: v1.UpdateBillingAccountRequest, context: grpc.ServicerContext
    ) -> v1.UpdateBillingAccountResponse:
        details, is_closed = rules.check_details(*_arguments(request)), _is_closed(request.status)
        account, updated = rules.renew_account(self._accounts, details, is_closed=is_closed)
        return v1.UpdateBillingAccountResponse(account=_account(account), updated=updated)

    def CloseBillingAccount(
        self, request: v1.CloseBillingAccountRequest, context: grpc.ServicerContext
    ) -> v1.CloseBillingAccountResponse:
        return v1.CloseBillingAccountResponse(
            account=_account(rules.close_account(self._accounts, request.patient_id))
        )

    def ListBillingAccounts(
        self, request: v1.ListBillingAccountsRequest, context: grpc.ServicerContext
    ) -> v1.ListBillingAccountsResponse:
        page = rules.list_accounts(
            self._accounts, page_size=request.page_size, page_token=request.page_token
        )
        return v1.ListBillingAccountsResponse(
            accounts=[_account(account) for account in page.accounts],
            next_page_token=page.next_token,
        )


class OlderBillingService(OlderBillingServiceServicer):
    """Serves `BillingService` without a package, as older clients call it, by the same rules."""

    def __init__(self, accounts: rules.Accounts) -> None:
        self._accounts = accounts

    def CreateBillingAccount(
        self, request: older.BillingRequest, context: grpc.ServicerContext
    ) -> older.BillingResponse:
        try:
            details = rules.check_older_details(request.patientId, request.name, request.email)
        except rules.InvalidRequest as error:
            raise error.naming(patient_id="patientId") from None
        [opening] = rules.open_accounts(self._accounts, [details])
        return older.BillingResponse(
            accountId=opening.account.account_id,
            status="CLOSED" if opening.account.closed_at else "ACTIVE",
        )


def _arguments(
    request: v1.CreateBillingAccountRequest | v1.UpdateBillingAccountRequest,
) -> tuple[str, str, str, int]:
    return request.patient_id, request.name, request.email, request.patient_version


def _is_closed(status: v1.AccountStatus) -> bool | None:
    """Refuses an unknown status: a newer client may send it, and means something by it."""
    if status not in IS_CLOSED:
        raise rules.InvalidRequest([rules.Problem("status", "must be ACTIVE, CLOSED or left out")])
    return IS_CLOSED[status]


def _opening(opening: rules.Opening) -> v1.CreateBillingAccountResponse:
    return v1.CreateBillingAccountResponse(
        account=_account(opening.account), outcome=OUTCOMES[opening.outcome]
    )


def _account(account: rules.Account) -> v1.BillingAccount:
    return v1.BillingAccount(
        account_id=account.account_id,
        patient_id=str(account.patient_id) if isinstance(account.patient_id, UUID) else "",
        client_patient_id=account.patient_id if isinstance(account.patient_id, str) else "",
        name=account.name,
        email=account.email,
        status=v1.ACCOUNT_STATUS_CLOSED if account.closed_at else v1.ACCOUNT_STATUS_ACTIVE,
        patient_version=account.patient_version,
        opened_at=_timestamp(account.opened_at),
        closed_at=account.closed_at and _timestamp(account.closed_at),
    )


@lru_cache(1_000)  # The accounts of a batch were opened at the same moment.
def _timestamp(moment: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp
