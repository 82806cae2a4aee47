"""The topics are there after the command, however often it runs."""

import pytest
from django.core.management import CommandError, call_command

from portal.events.topics import topics


def test_on_the_embedded_broker_it_can_run_twice(topic, settings, capsys):
    settings.KAFKA_TOPIC_DEAD_LETTER = f"{topic.name}.dead-letter"
    for _ in range(2):
        call_command("create_topics")
        lines = capsys.readouterr().out.splitlines()
        assert [line.split(":")[0] for line in lines] == [topic.name, f"{topic.name}.dead-letter"]


def test_the_topics_have_the_shape_of_the_design(settings):
    shape = {topic.name: topic.num_partitions for topic in topics()}
    assert shape == {"patient": 4, "patient.dead-letter": 1}


def test_an_away_broker_is_named_by_its_variable(settings):
    settings.KAFKA_API_VERSION = None
    with pytest.raises(CommandError, match="KAFKA_BOOTSTRAP_SERVERS"):
        call_command("create_topics")
