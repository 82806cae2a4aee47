"""The whole portal as `make run` starts it, on free ports and in a folder of its own."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import httpx
import psutil
import psycopg2

from protos.billing.v1 import billing_service_pb2, billing_service_pb2_grpc
from protos.patient.events.v1.patient_event_pb2 import PatientEvent
from tests.ports import reserve_ports
from tests.run_processes import find_processes
from tests.topic import Topic
from tests.waits import wait_for

ROOT = Path(__file__).resolve().parents[2]
PORTS = ("PORTAL_PORT", "PORTAL_INTERNAL_PORT", "ANALYTICS_PORT", "BILLING_PORT", "KAFKA_PORT")


@dataclass
class System:
    """A running portal, and the ways to ask it."""

    data: Path
    ports: dict[str, str]
    environment: dict[str, str]
    first_readiness: dict  # The stream processor's health when the address was printed.

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.ports['PORTAL_PORT']}"

    @property
    def password(self) -> str:
        return self.environment["DEMO_PASSWORD"]

    def api(self, role: str = "frontdesk") -> httpx.Client:
        """Returns a client of the REST API with a token of this role."""
        body = {"email": f"{role}@demo.example", "password": self.password}
        answer = httpx.post(
            f"{self.address}/auth/login", json=body, timeout=60, trust_env=False
        ).raise_for_status()
        bearer = {"Authorization": f"Bearer {answer.json()['token']}"}
        return httpx.Client(base_url=self.address, headers=bearer, timeout=60, trust_env=False)

    def command(self, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """Runs `manage.py …` beside the running system; `options` are those of subprocess.run."""
        environment = {**os.environ, **self.environment}
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=environment,
            **{"capture_output": True, "text": True, "check": False, **options},
        )

    @contextmanager
    def without(self, words: str) -> Iterator[None]:
        """Suspends the processes with these words in their command line for the block."""
        stopped = find_processes(self.data / "run", words)
        assert stopped, f"nothing runs as {words}"
        for process in stopped:
            process.suspend()
        try:
            yield
        finally:
            for process in stopped:
                with suppress(psutil.NoSuchProcess):  # Its supervisor has replaced it.
                    process.resume()

    def billing_account(self, patient_id: str) -> billing_service_pb2.BillingAccount:
        """Returns the account as the billing server has it."""
        with grpc.insecure_channel(f"127.0.0.1:{self.ports['BILLING_PORT']}") as channel:
            stub = billing_service_pb2_grpc.BillingServiceStub(channel)
            request = billing_service_pb2.GetBillingAccountRequest(patient_id=patient_id)
            return stub.GetBillingAccount(request, timeout=60).account

    def events_of(self, patient_id: str) -> list[PatientEvent]:
        """Returns this patient's events on the topic, in the order of the log."""
        return Topic(self.environment["KAFKA_BOOTSTRAP_SERVERS"], "patient").events_of(patient_id)

    def figures(self) -> dict:
        with self.api("analyst") as api:
            return api.get("/api/analytics").raise_for_status().json()

    def caught_up(self) -> dict | None:
        """Returns the totals, once every account is open and every event is counted."""
        figures = self.figures()
        accounts, totals = figures["billing"], figures["totals"]
        people = totals["active"] + totals["archived"] + totals["merged"]
        are_counted = (
            people == accounts["active"] + accounts["closed"]
            and totals["events"] == self._number_of_events()
        )
        return totals if accounts["pending"] == 0 and are_counted else None

    def _number_of_events(self) -> int:
        with (
            closing(psycopg2.connect(self.environment["DATABASE_URL"])) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute("SELECT count(*) FROM patients_patientevent")
            return cursor.fetchone()[0]


@contextmanager
def running(data: Path, *, kafka: str) -> Iterator[System]:
    """Runs `python -m embedded run` for the block. Its folder is left for debugging."""
    with reserve_ports(len(PORTS)) as kept, (data / "output.log").open("w") as output:
        ports = dict(zip(PORTS, map(str, kept), strict=True))
        environment = {**os.environ, **ports, "KAFKA": kafka}
        process = subprocess.Popen(
            [sys.executable, "-m", "embedded", "run", "--data", str(data / "run")],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            wait_for(
                lambda: process.poll() is not None or "Ctrl-C ends" in _read(data / "output.log"),
                seconds=180,
            )
            assert process.poll() is None, _read(data / "output.log")[-4000:]
            stream = f"http://127.0.0.1:{ports['ANALYTICS_PORT']}/health/ready"
            first_readiness = httpx.get(stream, timeout=60, trust_env=False).json()
            yield System(data, ports, _variables(data / "run" / "run.env"), first_readiness)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(120)


def _variables(file: Path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in file.read_text().splitlines() if line)


def _read(file: Path) -> str:
    return file.read_text(errors="replace")
