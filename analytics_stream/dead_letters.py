"""Sets aside what can never be counted, so that the rest goes on and nothing is lost."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

import structlog

from analytics_stream.metrics import DEAD_LETTERS

TRIES = 6  # After so many the process ends.
TRY_SECONDS = 10.0  # Longest time that a try may take.
SHORTEST_WAIT, LONGEST_WAIT = 0.1, 3.0  # Seconds between two tries; each is twice the one before.

log = structlog.stdlib.get_logger("analytics.dead_letters")


class Message(Protocol):
    """A message of aiokafka, as far as it is used here; its time is in milliseconds."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Any
    timestamp: int


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message for the dead-letter topic, as it was read, with the reason."""

    message: Message
    reason: str

    @property
    def origin(self) -> dict[str, str]:
        """The headers added to the message's own. They repeat none of its values."""
        return {
            "reason": self.reason,
            "original_topic": self.message.topic,
            "original_partition": str(self.message.partition),
            "original_offset": str(self.message.offset),
        }

    @property
    def headers(self) -> list[tuple[str, bytes]]:
        own = self.message.headers or []
        pairs = list(own.items() if isinstance(own, dict) else own)
        return pairs + [(name, text.encode()) for name, text in self.origin.items()]

    def without_value(self) -> list[tuple[str, bytes]]:
        """Returns the headers to send alone when the whole letter is too large for the topic.

        They tell where the message is.
        """
        size = str(len(self.message.value or b""))
        return [
            (name, text.encode()) for name, text in {**self.origin, "value_left_out": size}.items()
        ]


class CannotGoOn(Exception):
    """A message can be neither counted nor set aside; the process must end without an ack."""


async def set_aside(
    letter: DeadLetter,
    post: Callable[[DeadLetter], Awaitable[object]],
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> None:
    """Posts the letter and returns when the broker has it. Raises CannotGoOn after six tries."""
    wait = SHORTEST_WAIT
    for _ in range(TRIES):
        try:
            await asyncio.wait_for(post(letter), TRY_SECONDS)
        except Exception as error:
            log.warning(
                "The dead-letter topic does not take a message.",
                error=type(error).__name__,
                wait_seconds=wait,
            )
            await sleep(wait)
            wait = min(wait * 2, LONGEST_WAIT)
        else:
            DEAD_LETTERS.inc()
            log.error("Set aside a message that cannot be counted.", **letter.origin)
            return
    raise CannotGoOn("A message can be neither counted nor set aside.")
