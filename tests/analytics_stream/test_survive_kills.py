"""Workers that are killed or restarted, on the embedded broker, which is in memory."""

import socket
import subprocess
from contextlib import ExitStack

import pytest

from analytics_stream.shutdown import EXIT_RESTART
from embedded.kafka import kafka
from tests.analytics_stream.database import database_away, hold_locks, read_figures, wipe
from tests.analytics_stream.histories import expected_figures, make_history, send_events
from tests.analytics_stream.messages import patient_id
from tests.analytics_stream.worker_process import environment, run_worker, worker_command
from tests.ports import reserve_ports
from tests.waits import wait_for


@pytest.fixture
def broker(tmp_path):
    with kafka(tmp_path / "kafka") as server:
        yield server.address


def test_a_worker_that_is_killed_in_the_middle_counts_each_event_once(database, broker, tmp_path):
    """Red when messages are acknowledged before they are stored, or counted without their ids."""
    facts = make_history(3000, versions=4)
    send_events(broker, facts)
    last = f"'{patient_id(facts[-1]['number'])}', {facts[-1]['event_id']}"
    # This lock keeps the worker from counting everything before the kill.
    held_back = f"INSERT INTO counted_event VALUES ({last}, now())"
    with hold_locks(database, held_back), run_worker(database, broker, tmp_path) as worker:
        assert worker.wait_for_events(1)["totals"]["events"] < len(facts)
        worker.kill()
    with run_worker(database, broker, tmp_path) as worker:
        worker.wait_for_events(len(facts))
        worker.wait_until_caught_up()
    assert read_figures(database) == expected_figures(facts)


def test_an_empty_broker_and_database_are_filled_to_the_same_figures(database, tmp_path):
    facts = make_history(40, versions=2)
    for begin in (lambda: None, lambda: None, lambda: wipe(database)):
        begin()
        with (
            kafka(tmp_path / "kafka") as server,
            run_worker(database, server.address, tmp_path) as worker,
        ):
            worker.wait_until_joined()
            send_events(server.address, facts)  # The relay does this from the portal's log.
            worker.wait_for_events(len(facts))
            worker.wait_until_caught_up()
        assert read_figures(database) == expected_figures(facts)


def test_a_broker_that_comes_back_empty_crashes_no_worker(database, tmp_path):
    """The worker joins again, or ends in order since the topic is another one. Red when its
    consumer crashes because the broker has forgotten the group."""
    facts = make_history(40, versions=2)
    with reserve_ports(1) as [port], ExitStack() as running:
        with kafka(tmp_path / "kafka", port=port) as server:
            send_events(server.address, facts)
            worker = running.enter_context(run_worker(database, server.address, tmp_path))
            worker.wait_for_events(len(facts))
        with kafka(tmp_path / "kafka", port=port):
            wait_for(
                lambda: (
                    len(worker.lines("Partitions are ours.")) > 1 or worker.popen.poll() is not None
                )
            )
        assert worker.popen.poll() in (None, EXIT_RESTART)
        assert "GroupIdNotFound" not in worker.text()
        assert "Crashed" not in worker.text()


def test_it_waits_for_a_broker_and_a_database_that_are_away_at_the_start(database, tmp_path):
    with database_away(database), run_worker(database, "127.0.0.1:1", tmp_path) as worker:
        wait_for(lambda: worker.lines("The broker is away; we wait for it."))
        assert worker.get("/health/live")[0] == 200
        assert worker.get("/health/ready")[1]["consumer"] == "waiting for the broker"
        assert worker.end() == 0


def test_a_taken_port_is_named(database):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        wrong = environment(database, "127.0.0.1:1", ANALYTICS_PORT=str(port))
        done = subprocess.run(
            worker_command("worker"),
            env=wrong,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 1
    assert (
        done.stderr
        == f"analytics: cannot listen on 127.0.0.1:{port}. Set ANALYTICS_PORT to a free port.\n"
    )
