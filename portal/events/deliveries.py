"""What became of messages that were sent, apart from the client of Kafka, which takes 8 MB."""

from dataclasses import dataclass

from portal.events.encoding import Message

LARGEST_MESSAGE = 1024 * 1024  # Bytes; the producer refuses a larger one.


@dataclass(frozen=True)
class Refusal:
    """A message that the broker will never take, and the kind of the error."""

    message: Message
    reason: str


@dataclass(frozen=True)
class Receipt:
    """Where the broker put a message. The offset is -1 where it does not tell."""

    message: Message
    partition: int
    offset: int


@dataclass(frozen=True)
class Delivery:
    """The outcome of each message that was sent."""

    receipts: list[Receipt]
    refusals: list[Refusal]
