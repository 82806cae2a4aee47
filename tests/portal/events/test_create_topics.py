"""The topics are there after the command, however often it runs."""

import pytest
from confluent_kafka.admin import AdminClient
from django.core.management import CommandError, call_command

from embedded.apache import apache_kafka
from portal.events.topics import topics
from tests.waits import wait_for


def test_on_the_embedded_broker_it_can_run_twice(topic, settings, capsys):
    settings.KAFKA_TOPIC_DEAD_LETTER = f"{topic.name}.dead-letter"
    for _ in range(2):
        call_command("create_topics")
        lines = capsys.readouterr().out.splitlines()
        assert [line.split(":")[0] for line in lines] == [topic.name, f"{topic.name}.dead-letter"]


def test_the_topics_have_the_shape_of_the_design(settings):
    shape = {topic.name: topic.num_partitions for topic in topics()}
    assert shape == {"patient": 4, "patient.dead-letter": 1}


def test_a_broker_that_is_away_is_named_by_its_variable(settings):
    settings.KAFKA_API_VERSION = None
    with pytest.raises(CommandError, match="KAFKA_BOOTSTRAP_SERVERS"):
        call_command("create_topics")


@pytest.mark.kafka
def test_on_a_real_kafka_the_topics_get_their_shape(tmp_path, settings, capsys):
    with apache_kafka(tmp_path) as broker:
        settings.KAFKA_BOOTSTRAP_SERVERS, settings.KAFKA_API_VERSION = [broker.address], None
        for outcome in ("created with", "was there"):
            call_command("create_topics")
            assert capsys.readouterr().out.count(outcome) == 2
        admin = AdminClient({"bootstrap.servers": broker.address})
        wait_for(lambda: shape_of(admin) == {"patient": 4, "patient.dead-letter": 1})


def shape_of(admin: AdminClient) -> dict[str, int]:
    """Returns the number of partitions by topic.

    A broker hears of a new topic a moment after the controller.
    """
    return {
        name: len(topic.partitions) for name, topic in admin.list_topics(timeout=20).topics.items()
    }
