"""Health and reflection, as a probe and a tool without our files see them."""

from contextlib import ExitStack
from threading import Event

import grpc
import pytest
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_health.v1.health import HealthServicer
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)

from billing_grpc.health import Readiness
from tests.billing_grpc.caller import OPENED, caller_of, new_patient, refusal, running_server
from tests.billing_grpc.database import (
    database_away,
    drop_connections,
    locked_accounts,
    new_database,
)
from tests.billing_grpc.process import running_process
from tests.waits import wait_for

NAMES = ("", "billing.v1.BillingService", "BillingService")


def test_the_server_and_both_services_are_serving(billing):
    for name in NAMES:
        wait_for(lambda name=name: billing.health(name) == "SERVING")


def test_an_unknown_service_is_not_found(billing):
    assert refusal(billing.health, "unknown.Service")[0] == "NOT_FOUND"


def test_reflection_describes_both_services(billing):
    described = ProtoReflectionDescriptorDatabase(billing.channel)
    assert {"billing.v1.BillingService", "BillingService", "grpc.health.v1.Health"} <= set(
        described.get_services()
    )
    pool = DescriptorPool(described)
    assert len(pool.FindServiceByName("billing.v1.BillingService").methods) == 6
    assert [method.name for method in pool.FindServiceByName("BillingService").methods] == [
        "CreateBillingAccount"
    ]


def test_without_its_database_it_is_not_serving_until_it_is_back():
    """Red when the database is checked only once, or health is not told."""
    with new_database() as url, running_server(url) as billing:
        patient = new_patient()
        account = billing.open(patient).account
        watched = billing.watch_health("billing.v1.BillingService")
        wait_for(lambda: next(watched) == "SERVING")
        with database_away(url):
            assert next(watched) == "NOT_SERVING"
            # The services change one after the other.
            wait_for(lambda: {billing.health(name) for name in NAMES} == {"NOT_SERVING"})
            for call in (billing.open, billing.get, billing.list):
                arguments = {"open": [patient], "get": [patient.patient_id], "list": []}[
                    call.__name__
                ]
                assert refusal(call, *arguments) == (
                    "UNAVAILABLE",
                    "the accounts cannot be reached now; try again later",
                )
        assert next(watched) == "SERVING"
        wait_for(lambda: {billing.health(name) for name in NAMES} == {"SERVING"})
        assert billing.get(patient.patient_id) == account


def test_a_server_that_starts_without_its_database_serves_when_it_is_there(tmp_path):
    with new_database() as url, ExitStack() as absence:
        absence.enter_context(database_away(url))
        with running_process(url, tmp_path) as process, caller_of(process.port) as billing:
            watched = billing.watch_health()
            assert next(watched) == "NOT_SERVING"
            wait_for(lambda: process.lines("not serving: the accounts cannot be reached"))
            absence.close()
            assert next(watched) == "SERVING"
            assert billing.open(new_patient()).outcome == OPENED


def test_callers_do_not_notice_connections_that_the_database_dropped():
    """Red when a connection is not tried before it is used."""
    with new_database() as url, running_server(url) as billing:
        patient = new_patient()
        account = billing.open(patient).account
        for _ in range(3):
            drop_connections(url)
            assert billing.get(patient.patient_id) == account


def test_a_database_that_is_not_migrated_is_not_serving():
    with new_database(migrated=False) as url, running_server(url) as billing:
        assert refusal(billing.open, new_patient())[0] == "UNAVAILABLE"
        assert billing.health() == "NOT_SERVING"


def test_a_call_without_a_deadline_ends_and_leaves_the_server_usable():
    """Red when no time limit is set on statements."""
    with new_database() as url, running_server(url, statement_seconds=2) as billing:
        open_account = billing.channel.unary_unary(
            "/billing.v1.BillingService/CreateBillingAccount"
        )
        with locked_accounts(url, "ACCESS EXCLUSIVE"), pytest.raises(grpc.RpcError) as refused:
            open_account(new_patient().SerializeToString())
        assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
        assert billing.open(new_patient()).account.account_id


def test_a_check_that_hangs_counts_as_failed_and_health_still_answers():
    release, health = Event(), HealthServicer()
    readiness = Readiness(health, release.wait, services=["s"], patience_seconds=0.05)

    def status() -> str:
        answer = health.Check(HealthCheckRequest(service="s"), None)
        return HealthCheckResponse.ServingStatus.Name(answer.status)

    readiness.start()
    assert status() == "NOT_SERVING"
    release.set()
    wait_for(lambda: status() == "SERVING")
    release.clear()
    wait_for(lambda: status() == "NOT_SERVING")
    release.set()
    readiness.end()
    readiness.join(30)
    assert not readiness.is_alive()
