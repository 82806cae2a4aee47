"""The portal's Kafka topics, made by its own command: a broker that guesses gives a wrong shape."""

from contextlib import closing

from django.conf import settings
from kafka import KafkaAdminClient, KafkaProducer
from kafka.admin import NewTopic
from kafka.errors import TopicAlreadyExistsError

from portal.events.broker import KafkaBroker
from portal.events.retention import HOW_TO_KEEP, KEEPING

A_MONTH = str(30 * 24 * 3600 * 1000)  # Milliseconds that Kafka keeps a message.


def topics() -> list[NewTopic]:
    """Returns the topics, with the broker's default of replicas.

    The events stay for ever, since the figures can be computed anew from them.
    """
    return [
        NewTopic(settings.KAFKA_TOPIC_PATIENT, 4, -1, topic_configs=KEEPING),
        NewTopic(settings.KAFKA_TOPIC_DEAD_LETTER, 1, -1, topic_configs={"retention.ms": A_MONTH}),
    ]


def create_topics() -> dict[str, str]:
    """Creates the topics that are missing; returns for each topic what was done.

    Raises KafkaError while the broker is away.
    """
    if settings.KAFKA_API_VERSION:
        return _touch_topics()
    admin = KafkaAdminClient(
        bootstrap_servers=settings.KAFKA_BOOTSTRAP_SERVERS,
        bootstrap_timeout_ms=5_000,
        request_timeout_ms=10_000,
    )
    try:
        return {topic.name: _create(admin, topic) for topic in topics()}
    finally:
        admin.close()


def _create(admin: KafkaAdminClient, topic: NewTopic) -> str:
    try:
        admin.create_topics([topic], timeout_ms=10_000)
    except TopicAlreadyExistsError:
        return _state_of(topic.name)
    return f"created with {topic.num_partitions} partition(s)"


def _state_of(name: str) -> str:
    """Returns `was there`, and for the topic of events what its settings forget."""
    if name != settings.KAFKA_TOPIC_PATIENT:
        return "was there"
    with closing(KafkaBroker(name)) as broker:
        forgetting = broker.forgetting_settings()
    if not forgetting:
        return "was there"
    return f"was there, but it forgets events ({', '.join(forgetting)}). {HOW_TO_KEEP}"


def _touch_topics() -> dict[str, str]:
    """Asks for each topic: the embedded broker has no CreateTopics and makes what is asked for.

    It gives each topic 4 partitions.
    """
    producer = KafkaProducer(
        bootstrap_servers=settings.KAFKA_BOOTSTRAP_SERVERS,
        api_version=settings.KAFKA_API_VERSION,
        max_block_ms=10_000,
    )
    try:
        found = {topic.name: len(producer.partitions_for(topic.name)) for topic in topics()}
    finally:
        producer.close(timeout=1)
    return {
        name: f"there with {count} partition(s), made by the embedded broker"
        for name, count in found.items()
    }
