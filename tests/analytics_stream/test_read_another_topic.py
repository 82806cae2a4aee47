"""A topic that was lost and filled again is read as a whole, also where the new one is longer than the old one was."""

import pytest
from confluent_kafka.admin import AdminClient

from analytics_stream.shutdown import LOST
from embedded.apache import apache_kafka
from embedded.kafka import kafka
from tests.analytics_stream.database import figures_in, tell
from tests.analytics_stream.histories import counted, send_all, story
from tests.analytics_stream.worker_process import (
    DEAD_LETTERS,
    TOPIC,
    go_on_with,
    make_topics,
    read_up_to,
    running,
)
from tests.waits import wait_for

BEFORE = story(100, versions=2)
# The same patients' events, and those of others who are nowhere but on the new topic, near its beginning.
AFTER = story(60, first=1001) + BEFORE + story(200, first=2001)


def counts_all(database, worker):
    worker.wait_for_events(len(AFTER))
    worker.wait_until_caught_up()
    return figures_in(database) == counted(AFTER)


def test_offsets_of_the_topic_before_are_not_gone_on_from(database, tmp_path):
    """Red when offsets alone are believed: patients whom nobody has seen are left out, and nothing shows that."""
    with kafka(tmp_path / "before") as broker:
        send_all(broker.address, BEFORE)
        with running(database, broker.address, tmp_path) as worker:
            worker.wait_for_events(len(BEFORE))
            wait_for(lambda: sum(read_up_to(broker.address)) == len(BEFORE))
            offsets = read_up_to(broker.address)
    with kafka(tmp_path / "after") as broker:
        send_all(broker.address, AFTER)
        go_on_with(broker.address, offsets)
        with running(database, broker.address, tmp_path) as worker:
            assert counts_all(database, worker)


@pytest.mark.kafka
def test_a_topic_that_is_made_anew_while_a_worker_runs_is_read_from_its_beginning(
    database, tmp_path
):
    """Whether it must join again, is told by the broker, or notices by itself, which then ends it."""
    with apache_kafka(tmp_path / "kafka") as broker:
        make_topics(broker.address)
        send_all(broker.address, BEFORE)
        with running(database, broker.address, tmp_path) as worker:
            worker.wait_for_events(len(BEFORE))
            remove_topics(broker.address)
            make_topics(broker.address)
            send_all(broker.address, AFTER)
            wait_for(
                lambda: (
                    worker.popen.poll() == LOST
                    or worker.figures()["totals"]["events"] == len(AFTER)
                ),
                seconds=60,
            )
        with running(database, broker.address, tmp_path) as worker:
            assert counts_all(database, worker)


@pytest.mark.kafka
def test_what_was_counted_of_another_topic_is_noticed_by_a_worker_that_runs(database, tmp_path):
    """Red when a worker looks only at the start: it may have joined while its database was away."""
    with apache_kafka(tmp_path / "kafka") as broker:
        make_topics(broker.address)
        send_all(broker.address, BEFORE)
        with running(database, broker.address, tmp_path) as worker:
            worker.wait_for_events(len(BEFORE))
            tell(database, "UPDATE read_offset SET opening = 'of another topic'")
            assert worker.popen.wait(60) == LOST
            assert worker.lines(
                "The topic is another than the one that was counted. It is read from its beginning."
            )


def remove_topics(broker):
    admin = AdminClient({"bootstrap.servers": broker})
    for removed in admin.delete_topics([TOPIC, DEAD_LETTERS]).values():
        removed.result(30)
    wait_for(lambda: TOPIC not in admin.list_topics(timeout=10).topics)
