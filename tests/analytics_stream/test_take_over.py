"""Partitions of a worker that was killed or stopped are read by another; one that wakes up again does no harm."""

import os
import signal

import pytest

from embedded.apache import apache_kafka
from tests.analytics_stream.database import count_waiting, execute, hold_locks, read_figures
from tests.analytics_stream.histories import expected_figures, make_history, send_events
from tests.analytics_stream.messages import patient_id
from tests.analytics_stream.worker_process import create_topics, run_worker
from tests.waits import wait_for

FACTS = make_history(400, versions=4)


pytestmark = pytest.mark.kafka  # The embedded broker refuses members who come back.


@pytest.fixture
def broker(tmp_path):
    with apache_kafka(tmp_path / "kafka") as server:
        create_topics(server.address)
        yield server.address


def partitions(worker):
    """Those that were handed to it last."""
    lines = worker.lines("Partitions are ours.")
    return lines[-1]["partitions"] if lines else []


def in_transactions_that_wait(url):
    """How many sessions wait for their worker to go on within a transaction."""
    [[count]] = execute(
        url,
        f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{url.database}' AND state LIKE 'idle in%'",
    )
    return count


def test_a_worker_that_was_stopped_or_killed_is_replaced_and_waking_up_does_no_harm(
    database, broker, tmp_path
):
    """Red when a worker that lost its partitions counts what another counted meanwhile."""
    with run_worker(database, broker, tmp_path) as one:
        one.wait_until_joined()
        with run_worker(database, broker, tmp_path) as other:
            wait_for(lambda: len(partitions(one)) == len(partitions(other)) == 2)
            replace_by_turns(database, broker, one, other)


def replace_by_turns(database, broker, one, other):
    send_events(broker, FACTS[:400])
    one.wait_for_events(400)
    os.kill(one.popen.pid, signal.SIGSTOP)
    send_events(broker, FACTS[400:800])
    other.wait_for_events(800)
    os.kill(one.popen.pid, signal.SIGCONT)
    send_events(broker, FACTS[800:1200])
    for worker in (one, other):
        worker.wait_for_events(1200)
        worker.wait_until_caught_up()
    assert read_figures(database) == expected_figures(FACTS[:1200])
    one.kill()
    send_events(broker, FACTS[1200:])
    other.wait_for_events(len(FACTS))
    assert read_figures(database) == expected_figures(FACTS)


def test_a_worker_that_is_stopped_within_a_batch_holds_up_nobody_and_counts_nothing_twice(
    database, broker, tmp_path
):
    """Red when a transaction may stay open for as long as its worker sleeps: it holds rows that all others need."""
    last = f"'{patient_id(FACTS[-1]['number'])}', {FACTS[-1]['event_id']}"
    with run_worker(database, broker, tmp_path) as asleep:
        asleep.wait_until_joined()
        with hold_locks(database, f"INSERT INTO counted_event VALUES ({last}, now())"):
            send_events(broker, FACTS)
            wait_for(lambda: count_waiting(database) > 0)
            os.kill(asleep.popen.pid, signal.SIGSTOP)
        assert in_transactions_that_wait(database) == 1
        wait_for(lambda: in_transactions_that_wait(database) == 0, seconds=30)
        with run_worker(database, broker, tmp_path) as awake:
            awake.wait_for_events(len(FACTS))
            os.kill(asleep.popen.pid, signal.SIGCONT)
            for worker in (asleep, awake):
                worker.wait_until_caught_up()
    assert read_figures(database) == expected_figures(FACTS)
