"""Questions to Kafka: where the topic ends, what it forgets, and how far a group has read."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol, TypeVar

from django.conf import settings
from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, OffsetSpec
from kafka.errors import KafkaError
from kafka.net.compat import KafkaNetClient

from portal.events.last_events import read_last_event_ids
from portal.events.retention import KEEPING, forgetting_settings

Answer = TypeVar("Answer")


class Broker(Protocol):
    """What the events loop asks; `KafkaBroker` is the real one."""

    def end_offsets(self) -> dict[int, int]: ...

    def group_offsets(self, group: str) -> dict[int, int]: ...

    def forgetting_settings(self) -> list[str]: ...

    def last_event_ids(self) -> list[int]: ...


class KafkaBroker:
    """Asks Kafka; it connects on first use, and anew after a failure.

    Make it after any fork, and use it in one thread.
    """

    def __init__(self, topic: str | None = None) -> None:
        self._topic = topic or settings.KAFKA_TOPIC_PATIENT
        self._admin: KafkaAdminClient | None = None

    def end_offsets(self) -> dict[int, int]:
        """Returns the offset of the next event by partition; empty while there is no topic.

        Raises KafkaError while the broker is away.
        """
        return self._ask(self._end_offsets)

    def group_offsets(self, group: str) -> dict[int, int]:
        """Returns by partition the offset of the group's next event, 0 where it has read none.

        Raises KafkaError while the broker is away.
        """
        return self._ask(lambda admin: self._group_offsets(admin, group))

    def forgetting_settings(self) -> list[str]:
        """Returns the settings that make the topic forget; none for a broker that has no settings.

        Raises KafkaError while the broker is away, or does not tell.
        """
        return [] if settings.KAFKA_API_VERSION else self._ask(self._forgetting_settings)

    def last_event_ids(self) -> list[int]:
        """Returns the numbers of the last events of each partition.

        Raises KafkaError while the broker is away, or lets nobody read.
        """
        return read_last_event_ids(self._topic)

    def close(self) -> None:
        admin, self._admin = self._admin, None
        if admin is not None:
            with suppress(KafkaError):
                admin.close()

    def _ask(self, question: Callable[[KafkaAdminClient], Answer]) -> Answer:
        try:
            self._admin = self._admin or _new_admin()
            return question(self._admin)
        except KafkaError:
            self.close()
            raise

    def _end_offsets(self, admin: KafkaAdminClient) -> dict[int, int]:
        partitions = self._partitions(admin)
        if not partitions:
            return {}
        answers = admin.list_partition_offsets(dict.fromkeys(partitions, OffsetSpec.LATEST))
        return {partition.partition: answer.offset for partition, answer in answers.items()}

    def _group_offsets(self, admin: KafkaAdminClient, group: str) -> dict[int, int]:
        partitions = self._partitions(admin)
        if not partitions:
            return {}
        answers = admin.list_group_offsets({group: partitions})[group]
        return {partition.partition: max(answer.offset, 0) for partition, answer in answers.items()}

    def _forgetting_settings(self, admin: KafkaAdminClient) -> list[str]:
        resource = ConfigResource(ConfigResourceType.TOPIC, self._topic, dict.fromkeys(KEEPING))
        answer = admin.describe_configs([resource], config_filter="all")
        found = answer["topic"][self._topic]
        return forgetting_settings({name: setting["value"] for name, setting in found.items()})

    def _partitions(self, admin: KafkaAdminClient) -> list[TopicPartition]:
        return [
            TopicPartition(self._topic, partition["partition_index"])
            for topic in admin.describe_topics([self._topic])
            for partition in topic["partitions"]
        ]


def ask_last_event_ids() -> list[int]:
    """Returns the numbers of the last events of the topic; none where there is no topic.

    It looks for the broker first: the client that reads would wait for one without an end. Raises
    KafkaError within seconds.
    """
    broker = KafkaBroker()
    try:
        return broker.last_event_ids() if broker.end_offsets() else []
    finally:
        broker.close()


def _new_admin() -> KafkaAdminClient:
    """Connects; raises KafkaError within seconds while no broker answers, and leaves no thread."""
    clients: list[KafkaNetClient] = []

    def new_client(**options: Any) -> KafkaNetClient:
        clients.append(KafkaNetClient(**options))
        return clients[0]

    try:
        return KafkaAdminClient(
            bootstrap_servers=settings.KAFKA_BOOTSTRAP_SERVERS,
            api_version=settings.KAFKA_API_VERSION,
            client_id="patient-portal-relay-looks",
            bootstrap_timeout_ms=2_000,
            request_timeout_ms=2_000,
            reconnect_backoff_max_ms=1_000,
            kafka_client=new_client,
        )
    except KafkaError:
        for client in clients:
            client.close()
            client._net.stop(timeout_ms=1_000)
        raise
