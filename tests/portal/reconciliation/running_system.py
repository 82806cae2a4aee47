"""A whole system of real processes that stays up for a file of tests: relay, broker, billing and analytics."""

import io
import json
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka import Producer
from django.conf import settings as now
from django.core.management import call_command
from django.db import connection
from django.test import override_settings

from embedded.kafka import kafka
from portal.events.topics import create_topics
from portal.patients import services
from portal.patients.models import Patient
from tests.analytics_stream import database as analytics_database
from tests.analytics_stream.worker_process import Worker
from tests.analytics_stream.worker_process import run_worker as counting
from tests.billing_grpc import database as billing_database
from tests.portal.billing.server import BillingServer, billing_server
from tests.portal.events.relays import RelayProcess, relaying

LONG = 120  # Seconds that a busy machine may need for what is quick at rest.


@dataclass
class Answer:
    """What the command ended with."""

    code: int
    report: dict

    def kinds_of(self, patient_id) -> set[str]:
        return {
            one["kind"] for one in self.report["differences"] if one["patient"] == str(patient_id)
        }

    def store(self, name: str) -> dict:
        [entry] = [one for one in self.report["stores"] if one["store"] == name]
        return entry


class System:
    """The processes, and ways to go behind their backs."""

    def __init__(
        self, folder: Path, broker_address: str, billing: BillingServer, analytics_url
    ) -> None:
        self.folder, self.broker_address = folder, broker_address
        self.billing, self.analytics_url = billing, analytics_url
        self.relay: RelayProcess
        self.analytics: Worker

    @contextmanager
    def relaying(self) -> Iterator[RelayProcess]:
        with relaying(self.folder) as self.relay:
            yield self.relay

    @contextmanager
    def counting(self, topic: str) -> Iterator[Worker]:
        worker = counting(
            self.analytics_url, self.broker_address, self.folder, KAFKA_TOPIC_PATIENT=topic
        )
        with worker as self.analytics:
            yield self.analytics

    def tell_analytics(self, statement: str):
        return analytics_database.execute(self.analytics_url, statement)

    def tell_billing(self, statement: str):
        return billing_database.tell(self.billing.url, statement)

    def send(self, topic: str, *messages: tuple[str, bytes]) -> None:
        """Put (key, value) pairs on the topic, past the relay, and where it would."""
        producer = Producer(
            {"bootstrap.servers": self.broker_address, "partitioner": "murmur2_random"}
        )
        for key, value in messages:
            producer.produce(topic, value, key=key)
        assert producer.flush(LONG) == 0


@contextmanager
def standing(folder: Path, **settings) -> Iterator[System]:
    """Everything but relay and analytics is running; the portal of this process is told of it."""
    with ExitStack() as stack:
        broker = stack.enter_context(kafka(folder / "kafka"))
        billing = stack.enter_context(billing_server(folder))
        analytics_url = stack.enter_context(analytics_database.new_database())
        addresses = {
            "KAFKA_BOOTSTRAP_SERVERS": [broker.address],
            "KAFKA_API_VERSION": (2, 0),
            "KAFKA_TOPIC_PATIENT": f"patient-{secrets.token_hex(4)}",
            "BILLING_GRPC_ADDRESS": billing.address,
            **settings,
        }
        stack.enter_context(override_settings(**addresses))
        yield System(folder, broker.address, billing, analytics_url)


@contextmanager
def whole(folder: Path, **settings) -> Iterator[System]:
    """Everything runs."""
    with standing(folder, **settings) as system, ExitStack() as stack:
        create_topics()
        worker = stack.enter_context(system.counting(now.KAFKA_TOPIC_PATIENT))
        stack.enter_context(override_settings(ANALYTICS_URL=f"http://127.0.0.1:{worker.port}"))
        stack.enter_context(system.relaying())
        yield system


def reconcile(*arguments: str, patience: float = LONG) -> Answer:
    """`manage.py reconcile --json`."""
    output, code = io.StringIO(), 0
    try:
        call_command(
            "reconcile",
            "--json",
            f"--patience={patience}",
            *arguments,
            stdout=output,
            stderr=io.StringIO(),
        )
    except SystemExit as ended:
        code = ended.code
    return Answer(code, json.loads(output.getvalue()))


def register(**details) -> Patient:
    jane = {
        "family_name": "Example",
        "given_name": secrets.token_hex(6),
        "email": "jane@example.org",
    }
    return services.register_patient(
        {**jane, **details}, by=None, source="portal", override_reason="a test"
    )


def change(patient, **changes) -> Patient:
    return services.change_patient(patient.pk, changes, by=None, source="api")


def tell(statement: str, *values) -> None:
    """Past every door."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


@contextmanager
def without_triggers(*tables: str) -> Iterator[None]:
    """As a restore from a dump would write."""
    for table in tables:
        tell(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    try:
        yield
    finally:
        for table in tables:
            tell(f"ALTER TABLE {table} ENABLE TRIGGER USER")
