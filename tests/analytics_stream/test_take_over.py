"""Another worker takes over the partitions of one that was killed or stopped."""

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


pytestmark = pytest.mark.kafka  # The embedded broker refuses members that come back.


@pytest.fixture
def broker(tmp_path):
    with apache_kafka(tmp_path / "kafka") as server:
        create_topics(server.address)
        yield server.address


def partitions(worker):
    """Returns the partitions that the worker was assigned last."""
    lines = worker.lines("Partitions are ours.")
    return lines[-1]["partitions"] if lines else []


def count_idle_transactions(url):
    """Returns how many sessions are idle within a transaction."""
    condition = f"datname = '{url.database}' AND state LIKE 'idle in%'"
    [[count]] = execute(url, f"SELECT count(*) FROM pg_stat_activity WHERE {condition}")
    return count


def test_a_stopped_worker_that_wakes_up_does_no_harm(database, broker, tmp_path):
    """Red when a worker that lost its partitions counts what another one counted meanwhile."""
    with run_worker(database, broker, tmp_path) as first:
        first.wait_until_joined()
        with run_worker(database, broker, tmp_path) as second:
            wait_for(lambda: len(partitions(first)) == len(partitions(second)) == 2)
            replace_by_turns(database, broker, first, second)


def replace_by_turns(database, broker, first, second):
    send_events(broker, FACTS[:400])
    first.wait_for_events(400)
    os.kill(first.popen.pid, signal.SIGSTOP)
    send_events(broker, FACTS[400:800])
    second.wait_for_events(800)
    os.kill(first.popen.pid, signal.SIGCONT)
    send_events(broker, FACTS[800:1200])
    for worker in (first, second):
        worker.wait_for_events(1200)
        worker.wait_until_caught_up()
    assert read_figures(database) == expected_figures(FACTS[:1200])
    first.kill()
    send_events(broker, FACTS[1200:])
    second.wait_for_events(len(FACTS))
    assert read_figures(database) == expected_figures(FACTS)


def test_a_worker_that_is_stopped_within_a_batch_delays_no_other(database, broker, tmp_path):
    """Red when the transaction of a stopped worker stays open: it locks rows of the others."""
    last = f"'{patient_id(FACTS[-1]['number'])}', {FACTS[-1]['event_id']}"
    with run_worker(database, broker, tmp_path) as asleep:
        asleep.wait_until_joined()
        with hold_locks(database, f"INSERT INTO counted_event VALUES ({last}, now())"):
            send_events(broker, FACTS)
            wait_for(lambda: count_waiting(database) > 0)
            os.kill(asleep.popen.pid, signal.SIGSTOP)
        assert count_idle_transactions(database) == 1
        wait_for(lambda: count_idle_transactions(database) == 0, seconds=30)
        with run_worker(database, broker, tmp_path) as awake:
            awake.wait_for_events(len(FACTS))
            os.kill(asleep.popen.pid, signal.SIGCONT)
            for worker in (asleep, awake):
                worker.wait_until_caught_up()
    assert read_figures(database) == expected_figures(FACTS)
