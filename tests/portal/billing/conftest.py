"""A real billing server, and the loop that calls it with a clock of the test."""

import pytest

from portal.billing.client import BillingClient
from portal.billing.loop import BillingLoop
from portal.billing.models import BillingAccount
from portal.patients import services
from portal.relay_loops import Round
from tests.portal.billing.server import billing_server


class Clock:
    """Seconds that pass when the test moves them."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="session")
def session_server(tmp_path_factory):
    with billing_server(tmp_path_factory.mktemp("billing")) as running:
        yield running


@pytest.fixture
def server(session_server, settings, monkeypatch):
    """A running server without any account; its deadlines allow for a slow machine."""
    monkeypatch.setattr("portal.billing.client.BATCH_SECONDS", 60.0)
    monkeypatch.setattr("portal.billing.client.CALL_SECONDS", 60.0)
    session_server.forget()
    settings.BILLING_GRPC_ADDRESS = session_server.address
    return session_server


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def loop(server, clock, db):
    loop = BillingLoop(clock=clock)
    yield loop
    loop.close()


@pytest.fixture
def client_of(settings):
    """Makes clients of any address, and closes them afterwards."""
    clients = []

    def make(address):
        clients.append(BillingClient(address))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def patient(db):
    return new_patient()


def new_patient(**details):
    jane = {"family_name": "Example", "given_name": "Jane", "email": "jane@example.org"}
    return services.register_patient(
        {**jane, **details}, by=None, source="portal", override_reason="a test"
    )


def change(patient, **changes):
    return services.change_patient(patient.pk, changes, by=None, source="api")


def run_until_idle(loop, *, fence: int = 1) -> None:
    """Runs rounds until nothing is left to do now."""
    while loop.step(fence) in (Round.MORE, Round.DONE):
        pass


def count_waiting() -> int:
    return BillingAccount.objects.filter(next_attempt_at__isnull=False).count()


def account_of(patient) -> BillingAccount:
    return BillingAccount.objects.get(pk=patient.pk)
