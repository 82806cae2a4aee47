"""A topic whose settings forget events is told: by the command, readiness and reconciliation."""

import io

import pytest
from django.core.management import call_command
from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType, NewTopic
from kafka.errors import TopicAuthorizationFailedError

from embedded.apache import apache_kafka
from portal import health
from portal.events import leases
from portal.events.loop import SETTINGS_SECONDS, EventsLoop
from portal.events.models import TopicRetention
from portal.events.retention import KEEPING, forgetting_settings
from portal.reconciliation.topic import TopicReader

pytestmark = pytest.mark.django_db
FORGETFUL = {"cleanup.policy": "compact,delete", "retention.ms": "-1", "retention.bytes": "1048576"}


class ToldBroker:
    """A broker with an event on its topic, whose settings the test chooses."""

    def __init__(self) -> None:
        self.settings = dict(KEEPING)
        self.error: Exception | None = None

    def end_offsets(self):
        return {0: 1}

    def group_offsets(self, group):
        return {}

    def last_event_ids(self):
        return []

    def forgetting_settings(self):
        if self.error:
            raise self.error
        return forgetting_settings(self.settings)


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def broker():
    return ToldBroker()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def look(broker, clock, settings):
    """Runs a round of the loop a minute later."""
    settings.KAFKA_WINDOW_BYTES = 0
    loop, fence = EventsLoop(None, broker, clock), leases.acquire_lease("a", seconds=600).fence

    def look():
        clock.now += SETTINGS_SECONDS
        loop.step(fence)

    yield look
    loop.close()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("cleanup.policy", "compact"),
        ("cleanup.policy", "compact,delete"),
        ("retention.ms", "604800000"),
        ("retention.bytes", "1048576"),
    ],
)
def test_each_setting_that_forgets_makes_the_topic_behind(look, broker, name, value):
    look()
    assert health.check_topic().ok
    broker.settings[name] = value
    look()
    check = health.check_topic()
    assert (check.ok, check.figures) == (False, {"forgetsBy": f"{name}={value}"})
    broker.settings = dict(KEEPING)
    look()
    assert health.check_topic().ok


def test_a_broker_that_does_not_tell_its_settings_stops_nothing(look, broker):
    broker.settings = FORGETFUL
    look()
    broker.error = TopicAuthorizationFailedError()
    look()
    assert TopicRetention.objects.get().forgets_by


@pytest.mark.kafka
def test_on_a_real_kafka_command_and_reconciliation_tell_it(tmp_path, settings):
    with apache_kafka(tmp_path) as running:
        settings.KAFKA_BOOTSTRAP_SERVERS, settings.KAFKA_API_VERSION = [running.address], None
        admin = KafkaAdminClient(bootstrap_servers=running.address)
        topic = settings.KAFKA_TOPIC_PATIENT
        admin.create_topics([NewTopic(topic, 4, 1, topic_configs=FORGETFUL)])
        assert "cleanup.policy=compact,delete, retention.bytes=1048576" in create_topics()
        assert read_topic() == "cleanup.policy=compact,delete, retention.bytes=1048576"
        admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, KEEPING)])
        assert "forgets" not in create_topics()
        assert read_topic() == ""
        admin.close()


def create_topics() -> str:
    out = io.StringIO()
    call_command("create_topics", stdout=out)
    return out.getvalue()


def read_topic() -> str:
    reader = TopicReader()
    reader.read_on(io.BytesIO())
    reader.close()
    return reader.tally.forgets_by
