"""Questions to Kafka: where the topic ends, and how far a group of readers has come."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol, TypeVar

from django.conf import settings
from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import OffsetSpec
from kafka.errors import KafkaError
from kafka.net.compat import KafkaNetClient

Answer = TypeVar("Answer")


class Broker(Protocol):
    """What the events loop asks; `KafkaBroker` is the real one."""

    def end_offsets(self) -> dict[int, int]: ...

    def group_offsets(self, group: str) -> dict[int, int]: ...


class KafkaBroker:
    """Its connection is made on first use and dropped after a failure. Make it after any fork, use it in one thread."""

    def __init__(self, topic: str | None = None) -> None:
        self._topic = topic or settings.KAFKA_TOPIC_PATIENT
        self._admin: KafkaAdminClient | None = None

    def end_offsets(self) -> dict[int, int]:
        """For each partition the offset of the next event; nothing while there is no topic. KafkaError when away."""
        return self._ask(self._ends)

    def group_offsets(self, group: str) -> dict[int, int]:
        """For each partition the offset of the next event for this group, 0 where it has read none. KafkaError."""
        return self._ask(lambda admin: self._read_by(admin, group))

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

    def _ends(self, admin: KafkaAdminClient) -> dict[int, int]:
        places = self._partitions(admin)
        answers = (
            admin.list_partition_offsets(dict.fromkeys(places, OffsetSpec.LATEST)) if places else {}
        )
        return {place.partition: answer.offset for place, answer in answers.items()}

    def _read_by(self, admin: KafkaAdminClient, group: str) -> dict[int, int]:
        places = self._partitions(admin)
        answers = admin.list_group_offsets({group: places})[group] if places else {}
        return {place.partition: max(answer.offset, 0) for place, answer in answers.items()}

    def _partitions(self, admin: KafkaAdminClient) -> list[TopicPartition]:
        topics = admin.describe_topics([self._topic])
        return [
            TopicPartition(self._topic, one["partition_index"])
            for topic in topics
            for one in topic["partitions"]
        ]


def _new_admin() -> KafkaAdminClient:
    """Raises KafkaError within seconds while no broker answers, and then leaves no thread behind."""
    clients: list[KafkaNetClient] = []

    def client(**settings_: Any) -> KafkaNetClient:
        clients.append(KafkaNetClient(**settings_))
        return clients[0]

    try:
        return KafkaAdminClient(
            bootstrap_servers=settings.KAFKA_BOOTSTRAP_SERVERS,
            api_version=settings.KAFKA_API_VERSION,
            client_id="patient-portal-relay-looks",
            bootstrap_timeout_ms=2_000,
            request_timeout_ms=2_000,
            reconnect_backoff_max_ms=1_000,
            kafka_client=client,
        )
    except KafkaError:
        for one in clients:
            one.close()
            one._net.stop(timeout_ms=1_000)
        raise
