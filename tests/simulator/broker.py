"""A broker that is away, loses replies, keeps half of a batch, is late, or restarts empty.

`Producer` replaces the relay's class `WaveProducer`, so that the relay's own sender is tested.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.message import DecodeError
from kafka.errors import KafkaConnectionError, KafkaTimeoutError, MessageSizeTooLargeError
from kafka.producer.future import RecordMetadata
from kafka.structs import TopicPartition

from portal.events.deadline_client import DeadlinePassed
from portal.events.encoding import Message
from protos.patient.events.v1.patient_event_pb2 import PatientEvent
from tests.simulator.processes import point

PARTITIONS = 4
KEPT, LOST, UNTOLD, LATE, REFUSED = "kept", "lost", "kept, and the reply lost", "late", "refused"
# The fate of a batch: of its first message, and of the others.
TROUBLES = {
    "request lost": (LOST, LOST),
    "reply lost": (UNTOLD, UNTOLD),
    "request late": (LATE, LATE),
    "first message lost": (LOST, KEPT),
    "only the first message kept": (KEPT, LOST),
    "first message too large": (REFUSED, KEPT),
}


@dataclass(frozen=True)
class Record:
    """A message as it lies in a partition; `event` is None where it cannot be read."""

    key: bytes | None
    value: bytes
    headers: list[tuple[str, bytes]]
    event: PatientEvent | None

    @property
    def size(self) -> int:
        return Message(0, "", self.key or b"", self.value, self.headers).size


@dataclass
class Broker:
    """The topic, everything that ever was on it, and the troubles to come."""

    partitions: list[list[Record]] = field(default_factory=lambda: [[] for _ in range(PARTITIONS)])
    is_away: bool = False
    troubles: deque[str] = field(default_factory=deque)
    incarnation: int = 0
    committed: dict[int, int] = field(default_factory=dict)
    window: int = 0
    # A message that was refused is refused again until its cause is mended.
    refused: set[int] = field(default_factory=set)
    ever_refused: set[int] = field(default_factory=set)
    most_unread: int = 0
    appended: int = 0
    # For each patient, the versions in the order of their first occurrence, and the partitions.
    first_seen: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    seen_in: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    delivered: set[int] = field(default_factory=set)
    _late: list[Record] = field(default_factory=list)
    _places: dict[bytes | None, int] = field(default_factory=dict)

    def take(self, batch: list["Sent"]) -> None:
        """Answers every message of a producer's batch, with the next trouble."""
        trouble = (
            "request lost" if self.is_away else self.troubles.popleft() if self.troubles else ""
        )
        first, others = TROUBLES.get(trouble, (KEPT, KEPT))
        for at, sent in enumerate(batch):
            sent.answer = self._answer(sent.record, others if at else first)
        self.most_unread = max(self.most_unread, *map(self._unread, range(PARTITIONS)))
        point("the broker answers")

    def append(self, record: Record) -> RecordMetadata:
        number = self._partition_of(record.key)
        self.partitions[number].append(record)
        self.appended += 1
        if event := record.event:
            self.delivered.add(event.event_id)
            self.seen_in[event.patient_id].add(number)
            if event.version not in self.first_seen[event.patient_id]:
                self.first_seen[event.patient_id].append(event.version)
        place = TopicPartition("patient", number)
        return RecordMetadata(
            "patient", number, place, len(self.partitions[number]) - 1, None, None, 0, 0, 0
        )

    def end_offsets(self) -> dict[int, int]:
        """Returns the end of each partition; an empty topic counts as no topic."""
        if self.is_away:
            raise KafkaTimeoutError
        return (
            {number: len(lane) for number, lane in enumerate(self.partitions)}
            if any(self.partitions)
            else {}
        )

    def group_offsets(self, group: str) -> dict[int, int]:
        """Returns the offsets that the consumer group committed."""
        if self.is_away:
            raise KafkaTimeoutError
        return {number: self.committed.get(number, 0) for number in self.end_offsets()}

    def forgetting_settings(self) -> list[str]:
        return []

    def last_event_ids(self) -> list[int]:
        return list(self.event_ids_on_topic())

    def late_requests_come_in(self) -> None:
        late, self._late = self._late, []
        for record in late:
            self.append(record)

    def start_anew(self) -> None:
        """Drops everything, like the embedded broker at a restart."""
        self.partitions = [[] for _ in range(PARTITIONS)]
        self._late, self.committed, self.incarnation = [], {}, self.incarnation + 1

    def event_ids_on_topic(self) -> set[int]:
        """Returns the ids of the events on the topic now."""
        return {
            record.event.event_id
            for partition in self.partitions
            for record in partition
            if record.event
        }

    def rubbish(self) -> set[bytes]:
        """Returns the messages of the topic that are no events."""
        return {
            record.value
            for partition in self.partitions
            for record in partition
            if not record.event
        }

    def _answer(self, record: Record, fate: str) -> RecordMetadata | Exception:
        if record.event and (fate == REFUSED or record.event.event_id in self.refused):
            self.refused.add(record.event.event_id)
            self.ever_refused.add(record.event.event_id)
            return MessageSizeTooLargeError()
        if fate == LATE:
            self._late.append(record)
        place = self.append(record) if fate in (KEPT, UNTOLD) else None
        return place if fate == KEPT and place else KafkaTimeoutError()

    def _unread(self, number: int) -> int:
        return sum(
            record.size for record in self.partitions[number][self.committed.get(number, 0) :]
        )

    def _partition_of(self, key: bytes | None) -> int:
        """Returns the partition of a key, which is the same in every run."""
        return self._places.setdefault(key, len(self._places)) % PARTITIONS


@dataclass
class Sent:
    """The future that `send` returns; its answer is known when the batch went out."""

    record: Record
    flush: Callable[[], None]
    answer: RecordMetadata | Exception | None = None

    def get(self, timeout: float | None = None) -> RecordMetadata:
        self.flush()
        if isinstance(self.answer, RecordMetadata):
            return self.answer
        raise self.answer or KafkaTimeoutError()


class Producer:
    """The methods of kafka-python's producer that a careful or a careless sender uses."""

    def __init__(
        self, broker: Broker, now: Callable[[], float], kafka_client: Any, **_: Any
    ) -> None:
        if broker.is_away:
            raise KafkaConnectionError
        # After this deadline no message leaves; see portal.events.deadline_client.
        [self._deadline] = kafka_client.args
        self._broker, self._now = broker, now
        self._batch: list[Sent] = []
        self._sender = self

    def send(
        self, topic: str, *, key: bytes, value: bytes, headers: list[tuple[str, bytes]], **_: Any
    ) -> Sent:
        self._batch.append(Sent(Record(key, value, headers, read(value)), self.flush))
        return self._batch[-1]

    def send_wave(self, topic: str, messages: Sequence[Message]) -> list[tuple[Message, Sent]]:
        return [
            (
                message,
                self.send(topic, key=message.key, value=message.value, headers=message.headers),
            )
            for message in messages
        ]

    def flush(self, timeout: float | None = None) -> None:
        """Returns when every message has an answer; raises nothing, like the real producer."""
        batch, self._batch = self._batch, []
        point("the broker gets")
        if self._now() >= self._deadline.at:
            for sent in batch:
                sent.answer = DeadlinePassed()
        elif batch:
            self._broker.take(batch)

    def partitions_for(self, topic: str) -> set[int]:
        if self._broker.is_away:
            raise KafkaTimeoutError
        return set(range(PARTITIONS))

    def close(self, timeout: float | None = None) -> None:
        self._batch = []

    def force_close(self) -> None:
        self._batch = []

    def join(self, timeout: float | None = None) -> None:
        """Does nothing: there is no thread."""


def read(value: bytes) -> PatientEvent | None:
    """Returns the event in a message, or None if it cannot be read."""
    try:
        event = PatientEvent.FromString(value)
    except DecodeError:
        return None
    return event if event.event_id else None
