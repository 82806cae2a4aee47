"""A worker ends within seconds, whatever is away or silent, and acknowledges nothing for it."""

import os
import secrets
import signal
import tempfile
from pathlib import Path

import psutil
import pytest
from sqlalchemy import make_url

from analytics_stream.schema import migrate
from embedded.kafka import kafka
from embedded.postgres import postgres
from tests.analytics_stream.histories import make_history, send_events
from tests.analytics_stream.worker_process import committed_offsets, run_worker
from tests.waits import has_ended, wait_for

FIRST, HELD_BACK = make_history(20), make_history(20, first=500)


@pytest.fixture
def broker(tmp_path):
    with kafka(tmp_path / "kafka") as server:
        yield server


@pytest.fixture
def server():
    """A PostgreSQL that the test may take away."""
    with tempfile.TemporaryDirectory(prefix="portal-test-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o711)  # As root, PostgreSQL runs under another account and has to pass.
        with postgres(
            Path(folder) / "postgres", password=secrets.token_hex(16), throw_away=True
        ) as server:
            yield server


@pytest.fixture
def worker(server, broker, tmp_path):
    """A worker that has counted a few events."""
    url = server.give_database("analytics", user="analytics", password=secrets.token_hex(16))
    url = make_url(url).set(drivername="postgresql+psycopg2")
    migrate(url)
    with run_worker(url, broker.address, tmp_path) as worker:
        send_events(broker.address, FIRST)
        worker.wait_for_events(len(FIRST))
        worker.wait_until_caught_up()
        yield worker


def test_a_worker_ends_while_the_database_is_gone(worker, server, broker):
    os.kill(server.pid, signal.SIGKILL)
    wait_for(lambda: worker.get("/health/ready")[0] == 503)
    send_events(broker.address, HELD_BACK)
    wait_for(lambda: worker.lines("The database is away; the batch waits for it."))
    assert worker.end() == 0
    assert sum(offset for offset in committed_offsets(broker.address) if offset > 0) <= len(FIRST)


def test_a_worker_ends_while_the_database_never_answers(worker, server, broker):
    """Red with Faust alone: it waits for the batch until the watchdog ends it with another code."""
    processes = [server.pid, *(child.pid for child in psutil.Process(server.pid).children())]
    for process in processes:
        os.kill(process, signal.SIGSTOP)
    try:
        send_events(broker.address, HELD_BACK)
        wait_for(lambda: f"analytics_messages_behind {len(HELD_BACK)}.0" in worker.metrics())
        assert worker.end() == 0
        assert sum(offset for offset in committed_offsets(broker.address) if offset > 0) <= len(
            FIRST
        )
    finally:
        for process in processes:
            os.kill(process, signal.SIGCONT)


def test_a_worker_ends_while_the_broker_is_gone(worker, broker):
    """Red with Faust alone: it waits for a last commit of offsets."""
    os.kill(broker.pid, signal.SIGKILL)
    wait_for(lambda: has_ended(broker.pid))
    wait_for(lambda: worker.lines("The broker is away; we wait for it."))
    assert worker.end() == 0
