"""Pacing: how far the relay may run ahead of its reader, on a broker that keeps a window only."""

from collections import Counter, defaultdict, deque
from collections.abc import Mapping, Sequence

from django.conf import settings
from kafka.errors import KafkaError

from portal.events.broker import Broker
from portal.events.deliveries import LARGEST_MESSAGE, Delivery
from portal.events.encoding import Message
from portal.events.services import Sender


class Window:
    """The unread bytes of each partition, and how many there may be; it knows nothing of Kafka."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._ends: dict[int, int] = {}
        self._positions: dict[int, int] = {}
        self._unread: defaultdict[int, deque[tuple[int, int]]] = defaultdict(deque)
        self._bytes: Counter[int] = Counter()

    @property
    def room(self) -> int:
        """The bytes that may be sent, to whichever partition."""
        return self.size - max(self._bytes.values(), default=0)

    def reset(self, ends: Mapping[int, int], positions: Mapping[int, int]) -> None:
        """Begins anew: the sizes of what is unread now are not known, so it fills the window.

        A position past the end belongs to an older topic: nothing of this one has been read.
        """
        self._ends, self._positions = dict(ends), dict(positions)
        self._unread.clear()
        self._bytes.clear()
        for partition, end in ends.items():
            if end and positions.get(partition, 0) != end:
                self._add(partition, end - 1, self.size)

    def follows(self, partition: int, offset: int) -> bool:
        """Tells whether an offset lies after all known ones; if not, the topic was made anew."""
        return offset >= self._ends.get(partition, 0)

    def add(self, partition: int, offset: int, size: int) -> None:
        """Adds a message that the broker acknowledged."""
        self._ends[partition] = offset + 1
        self._add(partition, offset, size)

    def still_matches(self, ends: Mapping[int, int], positions: Mapping[int, int]) -> bool:
        """Tells whether the topic is the same, nobody else has sent, and no reader went back."""
        return self._ends == dict(ends) and all(
            position >= self._positions.get(partition, 0)
            for partition, position in positions.items()
        )

    def mark_read(self, positions: Mapping[int, int]) -> None:
        """Removes what lies before these offsets."""
        self._positions = dict(positions)
        for partition, unread in self._unread.items():
            position = positions.get(partition, 0)
            while unread and unread[0][0] < position <= self._ends[partition]:
                _, size = unread.popleft()
                self._bytes[partition] -= size

    def _add(self, partition: int, offset: int, size: int) -> None:
        self._unread[partition].append((offset, size))
        self._bytes[partition] += size


class PacedSender:
    """Sends through another sender, and knows how many bytes fit before the reader comes along.

    It asks for the reader's position only when the window seems full. At first, and after a
    failure, nothing is known: then all that is unread counts as a full window.
    """

    def __init__(self, sender: Sender, broker: Broker) -> None:
        self._sender, self._broker = sender, broker
        self._window = Window(settings.KAFKA_WINDOW_BYTES)
        self._is_known = False

    def deliver(self, messages: Sequence[Message], *, before: float) -> Delivery:
        """Delivers as the other sender does; the caller has made sure that there is room."""
        try:
            delivery = self._sender.deliver(messages, before=before)
        except KafkaError:
            self._is_known = False
            raise
        for receipt in delivery.receipts:
            self._is_known = self._is_known and self._window.follows(
                receipt.partition, receipt.offset
            )
            self._window.add(receipt.partition, receipt.offset, receipt.message.size)
        return delivery

    def room(self) -> int:
        """Returns the bytes that may be sent now; 0 while the largest message would not fit.

        Raises KafkaError while the broker is away.
        """
        if not self._is_known or self._window.room < LARGEST_MESSAGE:
            self._ask_broker()
        return self._window.room if self._window.room >= LARGEST_MESSAGE else 0

    def _ask_broker(self) -> None:
        ends = self._broker.end_offsets()
        positions = self._broker.group_offsets(settings.KAFKA_WINDOW_GROUP)
        if self._is_known and self._window.still_matches(ends, positions):
            self._window.mark_read(positions)
        else:
            self._window.reset(ends, positions)
        self._is_known = True
