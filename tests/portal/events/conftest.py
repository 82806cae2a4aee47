"""A real broker for the relay's tests, and patients with a history."""

import os
import secrets
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from embedded.kafka import kafka
from portal.events import leases
from portal.patients import services
from tests.topic import Topic


@pytest.fixture(scope="session")
def broker(tmp_path_factory):
    with kafka(tmp_path_factory.mktemp("kafka")) as running:
        yield running


@pytest.fixture
def topic(broker, settings):
    """A topic of this test alone, which the settings name."""
    settings.KAFKA_BOOTSTRAP_SERVERS = [broker.address]
    settings.KAFKA_API_VERSION = (2, 0)
    settings.KAFKA_TOPIC_PATIENT = f"patient-{secrets.token_hex(4)}"
    return Topic(broker.address, settings.KAFKA_TOPIC_PATIENT)


class ForgetfulBroker:
    """A broker that can be restarted at its address, and then has forgotten everything."""

    def __init__(self, folder):
        self.folder, self.stack, self.port = folder, ExitStack(), 0
        self.start()

    def start(self):
        self.running = self.stack.enter_context(kafka(self.folder, port=self.port))
        self.port = int(self.running.address.rpartition(":")[2])

    def stop(self):
        self.stack.close()

    def restart(self):
        self.stop()
        self.start()


@pytest.fixture
def forgetful(tmp_path, settings):
    broker = ForgetfulBroker(tmp_path / "kafka")
    settings.KAFKA_BOOTSTRAP_SERVERS, settings.KAFKA_API_VERSION = [broker.running.address], (2, 0)
    yield broker
    broker.stop()


@contextmanager
def stopped(broker) -> Iterator[None]:
    """Stops a broker, which then takes connections and answers nothing."""
    os.kill(broker.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(broker.pid, signal.SIGCONT)


@pytest.fixture
def fence(db) -> int:
    """The fencing number of this test, which leads."""
    return leases.acquire_lease("this test", seconds=600).fence


@pytest.fixture
def patient(db):
    return new_patient()


def new_patient(**details):
    jane = {
        "family_name": "Example",
        "given_name": "Jane",
        "email": "jane@example.org",
        "postal_code": "02139",
    }
    return services.register_patient(
        {**jane, **details}, by=None, source="portal", override_reason="a test"
    )


def change(patient, **changes):
    return services.change_patient(patient.pk, changes, by=None, source="api")
