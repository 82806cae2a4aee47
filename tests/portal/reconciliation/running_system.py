"""A running system of real processes for a test file: relay, broker, billing and analytics."""

import io
import json
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka import Producer
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test import override_settings

from embedded.kafka import kafka
from portal.events.topics import create_topics
from portal.patients import services
from portal.patients.models import Patient
from tests.analytics_stream import database as analytics_database
from tests.analytics_stream.worker_process import Worker, run_worker
from tests.billing_grpc import database as billing_database
from tests.portal.billing.server import BillingServer, billing_server
from tests.portal.events.relays import RelayProcess, running_relay

LONG = 120  # Seconds that a busy machine may need for what takes an idle one a moment.


@dataclass
class Reconciliation:
    """The exit code and the report of the command."""

    code: int
    report: dict

    def kinds_of(self, patient_id) -> set[str]:
        differences = self.report["differences"]
        return {item["kind"] for item in differences if item["patient"] == str(patient_id)}

    def store(self, name: str) -> dict:
        [entry] = [entry for entry in self.report["stores"] if entry["store"] == name]
        return entry


class System:
    """The processes, and statements that change their stores behind their backs."""

    def __init__(
        self, folder: Path, broker_address: str, billing: BillingServer, analytics_url
    ) -> None:
        self.folder, self.broker_address = folder, broker_address
        self.billing, self.analytics_url = billing, analytics_url
        self.relay: RelayProcess
        self.analytics: Worker

    @contextmanager
    def run_relay(self) -> Iterator[RelayProcess]:
        with running_relay(self.folder) as self.relay:
            yield self.relay

    @contextmanager
    def run_analytics(self, topic: str) -> Iterator[Worker]:
        worker = run_worker(
            self.analytics_url, self.broker_address, self.folder, KAFKA_TOPIC_PATIENT=topic
        )
        with worker as self.analytics:
            yield self.analytics

    def execute_at_analytics(self, statement: str):
        return analytics_database.execute(self.analytics_url, statement)

    def execute_at_billing(self, statement: str):
        return billing_database.execute(self.billing.url, statement)

    def send(self, topic: str, *messages: tuple[str, bytes]) -> None:
        """Puts (key, value) pairs on the topic without the relay, in the partition of the key."""
        producer = Producer(
            {"bootstrap.servers": self.broker_address, "partitioner": "murmur2_random"}
        )
        for key, value in messages:
            producer.produce(topic, value, key=key)
        assert producer.flush(LONG) == 0


@contextmanager
def running_servers(folder: Path, **overrides) -> Iterator[System]:
    """Runs all but relay and analytics; the settings of this process name the servers."""
    with ExitStack() as stack:
        broker = stack.enter_context(kafka(folder / "kafka"))
        billing = stack.enter_context(billing_server(folder))
        analytics_url = stack.enter_context(analytics_database.new_database())
        addresses = {
            "KAFKA_BOOTSTRAP_SERVERS": [broker.address],
            "KAFKA_API_VERSION": (2, 0),
            "KAFKA_TOPIC_PATIENT": f"patient-{secrets.token_hex(4)}",
            "BILLING_GRPC_ADDRESS": billing.address,
            **overrides,
        }
        stack.enter_context(override_settings(**addresses))
        yield System(folder, broker.address, billing, analytics_url)


@contextmanager
def running_system(folder: Path, **overrides) -> Iterator[System]:
    """Runs everything."""
    with running_servers(folder, **overrides) as system, ExitStack() as stack:
        create_topics()
        worker = stack.enter_context(system.run_analytics(settings.KAFKA_TOPIC_PATIENT))
        stack.enter_context(override_settings(ANALYTICS_URL=f"http://127.0.0.1:{worker.port}"))
        stack.enter_context(system.run_relay())
        yield system


def reconcile(*arguments: str, patience: float = LONG) -> Reconciliation:
    """Runs `manage.py reconcile --json`."""
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
    return Reconciliation(code, json.loads(output.getvalue()))


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


def execute_sql(statement: str, *values) -> None:
    """Executes a statement on the portal's database, past the application."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


@contextmanager
def without_triggers(*tables: str) -> Iterator[None]:
    """Switches the triggers off, as a restore from a dump does."""
    for table in tables:
        execute_sql(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    try:
        yield
    finally:
        for table in tables:
            execute_sql(f"ALTER TABLE {table} ENABLE TRIGGER USER")
