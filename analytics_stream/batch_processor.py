"""Takes each batch from the topic to the database: a message is acknowledged only when it is counted or set aside."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Executor
from typing import Protocol, TypeVar

import structlog

from analytics_stream.database import OffsetsLost, Refused, StoreAway
from analytics_stream.dead_letters import DeadLetter, Message, set_aside
from analytics_stream.folding import Event, Undecodable, decode
from analytics_stream.metrics import BATCH_SECONDS, DUPLICATES, FOLDED, STORE_FAILURES
from analytics_stream.offsets import Bookmark, Bookmarks
from analytics_stream.progress import Progress

SHORTEST_WAIT, LONGEST_WAIT = 0.1, 3.0

Answer = TypeVar("Answer")
Pair = tuple[Event, Message]

log = structlog.stdlib.get_logger("analytics.intake")


class HandlerFault(Exception):
    """Our own code fails on these events. The text is the kind of error; the error itself may quote a patient."""


class Delivery(Protocol):
    """What we need of a Faust event: a message, and the way to say that it is done."""

    message: Message

    def ack(self) -> bool: ...


class Counting(Protocol):
    """What we need of the store."""

    def count(self, events: Sequence[Event], bookmarks: Sequence[Bookmark] = ()) -> int: ...

    def keep(self, bookmarks: Sequence[Bookmark]) -> None: ...


class Intake:
    """Counts batches, one after the other.

    `post` delivers a dead letter and returns when the broker has it. `executor` runs the blocking database work.
    """

    def __init__(
        self,
        store: Counting,
        post: Callable[[DeadLetter], Awaitable[object]],
        bookmarks: Bookmarks,
        progress: Progress,
        executor: Executor,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._store, self._post, self._bookmarks, self._progress = store, post, bookmarks, progress
        self._executor, self._sleep = executor, sleep

    async def take_in(self, batch: Sequence[Delivery]) -> None:
        """Count the batch, set aside what cannot be counted, then acknowledge all of it.

        Raises CannotGoOn or OffsetsLost.
        """
        pairs, letters = decode_all(batch)
        bookmarks = self._bookmarks.after(delivery.message for delivery in batch)
        self._progress.take_in_hand(min((event.occurred_at for event, _ in pairs), default=None))
        with BATCH_SECONDS.time():
            if letters or await self._reason_against(pairs, bookmarks):
                await self._count_what_can_be(pairs, letters, bookmarks)
        self._bookmarks.keep(bookmarks)
        for delivery in batch:
            delivery.ack()
        self._progress.take_in_hand(None)
        self._progress.move()

    async def _count_what_can_be(
        self, pairs: list[Pair], letters: list[DeadLetter], bookmarks: Sequence[Bookmark]
    ) -> None:
        """The bookmarks move last: a kill before that lets everything be read again."""
        letters = letters + await self._count_in_parts(pairs)
        await asyncio.gather(*map(self._set_aside, letters))
        await self._when_possible(lambda: self._store.keep(bookmarks))

    async def _count_in_parts(self, pairs: list[Pair]) -> list[DeadLetter]:
        """Halve until what fails stands alone. Answers the letters for it."""
        reason = await self._reason_against(pairs) if pairs else None
        if reason is None:
            return []
        if len(pairs) == 1:
            return [DeadLetter(pairs[0][1], reason)]
        middle = len(pairs) // 2
        return await self._count_in_parts(pairs[:middle]) + await self._count_in_parts(
            pairs[middle:]
        )

    async def _reason_against(
        self, pairs: list[Pair], bookmarks: Sequence[Bookmark] = ()
    ) -> str | None:
        """Count, however long the database is away; answers None, or why these events together never can be."""
        events = [event for event, _ in pairs]
        try:
            fresh = await self._when_possible(lambda: self._store.count(events, bookmarks))
        except Refused:
            return "the database refuses its values"
        except HandlerFault as fault:
            if len(pairs) == 1:
                log.error(
                    "Our own code fails on an event.",
                    event_id=events[0].event_id,
                    exc_info=fault.__cause__,
                )
            return f"handler fault: {fault}"
        FOLDED.inc(fresh)
        DUPLICATES.inc(len(pairs) - fresh)
        return None

    async def _when_possible(self, work: Callable[[], Answer]) -> Answer:
        wait, loop = SHORTEST_WAIT, asyncio.get_running_loop()
        while True:
            try:
                answer = await loop.run_in_executor(self._executor, attempt, work)
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
                self._progress.move()
                return answer

    async def _set_aside(self, letter: DeadLetter) -> None:
        await set_aside(letter, self._post, self._sleep)
        self._progress.move()


def attempt(work: Callable[[], Answer]) -> Answer:
    """Tell an error of ours on certain events, which HandlerFault says, from one that any events would meet."""
    try:
        return work()
    except (StoreAway, Refused, OffsetsLost, MemoryError):
        raise
    except Exception as error:
        raise HandlerFault(type(error).__name__) from error


def decode_all(batch: Sequence[Delivery]) -> tuple[list[Pair], list[DeadLetter]]:
    """The events of a batch, each with its message, and the letters for what is no event."""
    pairs: list[Pair] = []
    letters: list[DeadLetter] = []
    for delivery in batch:
        try:
            pairs.append((decode(delivery.message.value), delivery.message))
        except Undecodable as reason:
            letters.append(DeadLetter(delivery.message, str(reason)))
        except Exception as error:
            letters.append(DeadLetter(delivery.message, f"handler fault: {type(error).__name__}"))
    return pairs, letters
