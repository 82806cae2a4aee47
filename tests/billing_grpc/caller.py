"""A caller of the server: requests with valid values, and the text of a refusal."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import grpc
import pytest
from grpc_health.v1 import health_pb2
from grpc_health.v1.health_pb2_grpc import HealthStub
from sqlalchemy import URL

from billing_grpc.server import start
from billing_grpc.store import Store, connect
from protos.billing.v1 import billing_service_pb2 as v1
from protos.billing.v1.billing_service_pb2_grpc import BillingServiceStub

SECONDS = 60  # The deadline of every call.
OPENED = v1.CREATE_OUTCOME_OPENED
EXISTED = v1.CREATE_OUTCOME_EXISTED
OTHER_DETAILS = v1.CREATE_OUTCOME_EXISTED_WITH_OTHER_DETAILS
ACTIVE, CLOSED = v1.ACCOUNT_STATUS_ACTIVE, v1.ACCOUNT_STATUS_CLOSED


def new_patient(**changes: Any) -> v1.CreateBillingAccountRequest:
    valid = {
        "patient_id": str(uuid4()),
        "name": "Zoë Müller",
        "email": "zoe@example.org",
        "patient_version": 1,
    }
    return v1.CreateBillingAccountRequest(**valid | changes)


class Caller:
    """The calls of `billing.v1.BillingService`, each with a deadline."""

    def __init__(self, channel: grpc.Channel) -> None:
        self.channel = channel
        self._stub = BillingServiceStub(channel)
        self._health = HealthStub(channel)

    def open(self, request: v1.CreateBillingAccountRequest) -> v1.CreateBillingAccountResponse:
        return self._stub.CreateBillingAccount(request, timeout=SECONDS)

    def open_many(
        self, requests: list[v1.CreateBillingAccountRequest]
    ) -> list[v1.CreateBillingAccountResponse]:
        batch = v1.BatchCreateBillingAccountsRequest(requests=requests)
        return list(self._stub.BatchCreateBillingAccounts(batch, timeout=SECONDS).responses)

    def get(self, patient_id: str) -> v1.BillingAccount:
        return self._stub.GetBillingAccount(
            v1.GetBillingAccountRequest(patient_id=patient_id), timeout=SECONDS
        ).account

    def update(self, **fields: Any) -> v1.UpdateBillingAccountResponse:
        return self._stub.UpdateBillingAccount(
            v1.UpdateBillingAccountRequest(**fields), timeout=SECONDS
        )

    def close(self, patient_id: str) -> v1.BillingAccount:
        return self._stub.CloseBillingAccount(
            v1.CloseBillingAccountRequest(patient_id=patient_id), timeout=SECONDS
        ).account

    def list(self, page_size: int = 0, page_token: str = "") -> v1.ListBillingAccountsResponse:
        request = v1.ListBillingAccountsRequest(page_size=page_size, page_token=page_token)
        return self._stub.ListBillingAccounts(request, timeout=SECONDS)

    def health(self, service: str = "") -> str:
        answer = self._health.Check(health_pb2.HealthCheckRequest(service=service), timeout=SECONDS)
        return health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)

    def watch_health(self, service: str = "") -> Iterator[str]:
        for answer in self._health.Watch(
            health_pb2.HealthCheckRequest(service=service), timeout=SECONDS * 2
        ):
            yield health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)


@contextmanager
def caller_of(port: int) -> Iterator[Caller]:
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield Caller(channel)


@contextmanager
def running_server(url: URL, **options: Any) -> Iterator[Caller]:
    """Runs a server on a free port with that database."""
    engine = connect(url, connections=9, **options)
    server = start(Store(engine), host="127.0.0.1", port=0)
    try:
        with caller_of(server.port) as caller:
            yield caller
    finally:
        server.drain()
        engine.dispose()


def refusal(call: Callable[..., Any], *arguments: Any, **fields: Any) -> tuple[str, str]:
    """Makes a call that must be refused; returns the status and the text."""
    with pytest.raises(grpc.RpcError) as refused:
        call(*arguments, **fields)
    return refused.value.code().name, refused.value.details()
