"""Several workers, and a broker that is killed, on a real Apache Kafka."""

import os
import signal

import pytest

from embedded.apache import apache_kafka
from tests.analytics_stream.database import read_figures
from tests.analytics_stream.histories import expected_figures, make_history, send_events
from tests.analytics_stream.worker_process import create_topics, run_worker
from tests.ports import reserve_ports
from tests.waits import wait_for

pytestmark = pytest.mark.kafka


def test_workers_that_come_and_go_lose_nothing_and_count_nothing_twice(database, tmp_path):
    """Red when a worker acknowledges what it has not counted, or counts anything twice."""
    facts = make_history(4000, versions=4)
    with (
        apache_kafka(tmp_path / "kafka") as server,
        run_worker(database, server.address, tmp_path) as first,
    ):
        wait_for(lambda: first.lines("Listening."))
        create_topics(server.address)  # After the worker asked for them.
        send_events(server.address, facts[:6000])
        with run_worker(database, server.address, tmp_path) as second:
            second.wait_until_joined()
            send_events(server.address, facts[6000:9000])
            with run_worker(database, server.address, tmp_path) as third:
                third.wait_until_joined()
                send_events(server.address, facts[9000:12000])
                third.kill()
            send_events(server.address, facts[12000:])
            assert second.end() == 0
        first.wait_for_events(len(facts))
        first.wait_until_caught_up()
        assert read_figures(database) == expected_figures(facts)


def test_a_broker_that_is_killed_and_comes_back_is_read_on(database, tmp_path):
    facts = make_history(500, versions=2)
    with (
        reserve_ports(1) as [port],
        run_worker(database, address := f"127.0.0.1:{port}", tmp_path) as worker,
    ):
        wait_for(lambda: worker.lines("The broker is away; we wait for it."))
        with apache_kafka(tmp_path / "kafka", port=port) as server:
            create_topics(address)
            send_events(address, facts[:500])
            worker.wait_for_events(500)
            os.kill(server.pid, signal.SIGKILL)
        wait_for(lambda: worker.figures()["lagSeconds"] > 0)
        with apache_kafka(tmp_path / "kafka", port=port):
            send_events(address, facts[500:])
            worker.wait_for_events(len(facts))
            worker.wait_until_caught_up()
            assert worker.end() == 0
    assert read_figures(database) == expected_figures(facts)
