"""Real relay processes that use the test's database and broker."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg2
from django.conf import settings

from tests.waits import wait_for

ROOT = Path(settings.BASE_DIR)
RUN_PAUSED_RELAY = """
import django
django.setup()
from tests.portal.events import paused_relay
paused_relay.main()
"""


class RelayProcess:
    """A running `manage.py relay`, and what it logged."""

    def __init__(self, popen: subprocess.Popen, log: Path) -> None:
        self.popen, self.log = popen, log

    def has_logged(self, *events: str) -> bool:
        """Tells whether the log has one of these events."""
        lines = self.log.read_text().rpartition("\n")[0].splitlines()
        return any(
            json.loads(line).get("event") in events for line in lines if line.startswith("{")
        )

    def wait_until_logged(self, *events: str) -> None:
        wait_for(lambda: self.popen.poll() is not None or self.has_logged(*events))
        assert self.has_logged(*events), self.log.read_text()

    def signal(self, number: signal.Signals) -> None:
        self.popen.send_signal(number)

    def is_stopped(self) -> bool:
        assert self.popen.poll() is None, self.log.read_text()
        return Path(f"/proc/{self.popen.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"

    def end(self) -> int:
        self.signal(signal.SIGTERM)
        return self.popen.wait(40)


def running_relay(folder: Path, **environ: str) -> AbstractContextManager[RelayProcess]:
    """Runs a relay with the test's settings, and kills it afterwards."""
    return _running(["manage.py", "relay"], folder, environ)


def pausing_relay(folder: Path, point: str) -> AbstractContextManager[RelayProcess]:
    """Runs a relay that pauses at a point, see `paused_relay`, and kills it afterwards."""
    environ = {"DJANGO_SETTINGS_MODULE": "portal.settings"}
    return _running(["-c", RUN_PAUSED_RELAY, point], folder, environ)


@contextmanager
def _running(command: list[str], folder: Path, environ: dict[str, str]) -> Iterator[RelayProcess]:
    number = len(list(folder.glob("relay-*.log")))
    log = folder / f"relay-{number}.log"
    with log.open("wb") as output:
        popen = subprocess.Popen(
            [sys.executable, *command],
            cwd=ROOT,
            env=environment(**environ),
            stdout=output,
            stderr=output,
        )
    try:
        yield RelayProcess(popen, log)
    finally:
        popen.kill()
        popen.wait()


def environment(**more: str) -> dict[str, str]:
    """Returns the environment of a process that uses the test's database and broker."""
    own = {
        "DATABASE_URL": database_url(),
        "KAFKA_BOOTSTRAP_SERVERS": ",".join(settings.KAFKA_BOOTSTRAP_SERVERS),
        "KAFKA_API_VERSION": "2.0",
        "KAFKA_TOPIC_PATIENT": settings.KAFKA_TOPIC_PATIENT,
        "BILLING_GRPC_ADDRESS": settings.BILLING_GRPC_ADDRESS,
    }
    return {**os.environ, **own, **more}


def database_url(name: str = "") -> str:
    """Returns the address of the test's database, or of another one on the same server."""
    parts = urlsplit(os.environ["DATABASE_URL"])
    return urlunsplit(parts._replace(path=f"/{name or settings.DATABASES['default']['NAME']}"))


@contextmanager
def database_away() -> Iterator[None]:
    """Lets the test's database take no connections and lose those that it has."""
    name = settings.DATABASES["default"]["NAME"]
    execute_sql(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
    # Autovacuum's workers may not be ended.
    clients = f"datname = '{name}' AND backend_type = 'client backend'"
    execute_sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {clients}")
    try:
        yield
    finally:
        execute_sql(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')


def execute_sql(statement: str) -> None:
    connection = psycopg2.connect(os.environ["DATABASE_URL"])
    try:
        connection.autocommit = True
        connection.cursor().execute(statement)
    finally:
        connection.close()
