"""A topic that was replaced is read from its beginning, also when the new one is longer."""

import pytest
from confluent_kafka.admin import AdminClient

from analytics_stream.shutdown import EXIT_RESTART
from embedded.apache import apache_kafka
from embedded.kafka import kafka
from tests.analytics_stream.database import execute, read_figures
from tests.analytics_stream.histories import expected_figures, make_history, send_events
from tests.analytics_stream.worker_process import (
    DEAD_LETTER_TOPIC,
    TOPIC,
    commit_offsets,
    committed_offsets,
    create_topics,
    run_worker,
)
from tests.waits import wait_for

BEFORE = make_history(100, versions=2)
# The same events, and events of patients who are only on the new topic, near its beginning.
AFTER = make_history(60, first=1001) + BEFORE + make_history(200, first=2001)


def has_counted_all(database, worker):
    worker.wait_for_events(len(AFTER))
    worker.wait_until_caught_up()
    return read_figures(database) == expected_figures(AFTER)


def test_offsets_of_the_old_topic_are_not_used(database, tmp_path):
    """Red when offsets alone are compared: patients of the new topic are left out unnoticed."""
    with kafka(tmp_path / "before") as broker:
        send_events(broker.address, BEFORE)
        with run_worker(database, broker.address, tmp_path) as worker:
            worker.wait_for_events(len(BEFORE))
            wait_for(lambda: sum(committed_offsets(broker.address)) == len(BEFORE))
            offsets = committed_offsets(broker.address)
    with kafka(tmp_path / "after") as broker:
        send_events(broker.address, AFTER)
        commit_offsets(broker.address, offsets)
        with run_worker(database, broker.address, tmp_path) as worker:
            assert has_counted_all(database, worker)


@pytest.mark.kafka
def test_a_topic_that_is_replaced_while_a_worker_runs_is_read_anew(database, tmp_path):
    """The worker may have to join again, or notices it by itself and ends."""
    with apache_kafka(tmp_path / "kafka") as broker:
        create_topics(broker.address)
        send_events(broker.address, BEFORE)
        with run_worker(database, broker.address, tmp_path) as worker:
            worker.wait_for_events(len(BEFORE))
            remove_topics(broker.address)
            create_topics(broker.address)
            send_events(broker.address, AFTER)
            wait_for(
                lambda: (
                    worker.popen.poll() == EXIT_RESTART
                    or worker.figures()["totals"]["events"] == len(AFTER)
                ),
                seconds=60,
            )
        with run_worker(database, broker.address, tmp_path) as worker:
            assert has_counted_all(database, worker)


@pytest.mark.kafka
def test_a_running_worker_notices_that_it_counted_another_topic(database, tmp_path):
    """Red when a worker compares topics only at the start, when its database may be away."""
    with apache_kafka(tmp_path / "kafka") as broker:
        create_topics(broker.address)
        send_events(broker.address, BEFORE)
        with run_worker(database, broker.address, tmp_path) as worker:
            worker.wait_for_events(len(BEFORE))
            execute(database, "UPDATE read_offset SET opening = 'of another topic'")
            assert worker.popen.wait(60) == EXIT_RESTART
            assert worker.lines("The topic was replaced. It is read from its beginning.")


def remove_topics(broker):
    admin = AdminClient({"bootstrap.servers": broker})
    for removed in admin.delete_topics([TOPIC, DEAD_LETTER_TOPIC]).values():
        removed.result(30)
    wait_for(lambda: TOPIC not in admin.list_topics(timeout=10).topics)
