"""Takes each batch from the topic to the database: a message is acknowledged only when it is counted or set aside."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Executor
from typing import Protocol

import structlog

from analytics_stream.database import Refused, StoreAway
from analytics_stream.dead_letters import DeadLetter, Message, set_aside
from analytics_stream.folding import Event, Undecodable, decode
from analytics_stream.metrics import BATCH_SECONDS, DUPLICATES, FOLDED, STORE_FAILURES
from analytics_stream.progress import Progress

SHORTEST_WAIT, LONGEST_WAIT = 0.1, 3.0

log = structlog.stdlib.get_logger("analytics.intake")


class Delivery(Protocol):
    """What we need of a Faust event: a message, and the way to say that it is done."""

    message: Message

    def ack(self) -> bool: ...


class Counting(Protocol):
    def count(self, events: Sequence[Event]) -> int: ...


class Intake:
    """Counts batches, one after the other.

    `post` delivers a dead letter and returns when the broker has it. `executor` runs the blocking database work.
    """

    def __init__(
        self,
        store: Counting,
        post: Callable[[DeadLetter], Awaitable[object]],
        progress: Progress,
        executor: Executor,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._store, self._post, self._progress = store, post, progress
        self._executor, self._sleep = executor, sleep

    async def take_in(self, batch: Sequence[Delivery]) -> None:
        """Count the batch, set aside what cannot be counted, then acknowledge all of it. Raises CannotGoOn."""
        pairs, letters = decode_all(batch)
        self._progress.take_in_hand(min((event.occurred_at for event, _ in pairs), default=None))
        with BATCH_SECONDS.time():
            letters += await self._count(pairs)
            for letter in letters:
                await set_aside(letter, self._post, self._sleep)
                self._progress.move()
        for delivery in batch:
            delivery.ack()
        self._progress.take_in_hand(None)
        self._progress.move()

    async def _count(self, pairs: list[tuple[Event, Message]]) -> list[DeadLetter]:
        """Count until it is done, however long the database is away. Answers the letters for what it refuses."""
        if not pairs:
            return []
        try:
            fresh = await self._count_when_possible([event for event, _ in pairs])
        except Refused:
            if len(pairs) == 1:
                return [DeadLetter(pairs[0][1], "the database refuses its values")]
            middle = len(pairs) // 2
            return await self._count(pairs[:middle]) + await self._count(pairs[middle:])
        FOLDED.inc(fresh)
        DUPLICATES.inc(len(pairs) - fresh)
        return []

    async def _count_when_possible(self, events: list[Event]) -> int:
        wait, loop = SHORTEST_WAIT, asyncio.get_running_loop()
        while True:
            try:
                fresh = await loop.run_in_executor(self._executor, self._store.count, events)
            except StoreAway as away:
                STORE_FAILURES.inc()
                if wait == SHORTEST_WAIT:
                    log.warning("The database is away; the batch waits for it.", cause=str(away))
                self._progress.excuse()
                await self._sleep(wait)
                wait = min(wait * 2, LONGEST_WAIT)
            else:
                if wait > SHORTEST_WAIT:
                    log.warning("The database is back.")
                return fresh


def decode_all(batch: Sequence[Delivery]) -> tuple[list[tuple[Event, Message]], list[DeadLetter]]:
    """The events of a batch, each with its message, and the letters for what is no event."""
    pairs: list[tuple[Event, Message]] = []
    letters: list[DeadLetter] = []
    for delivery in batch:
        try:
            pairs.append((decode(delivery.message.value), delivery.message))
        except Undecodable as reason:
            letters.append(DeadLetter(delivery.message, str(reason)))
    return pairs, letters
