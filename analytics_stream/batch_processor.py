"""Counts each batch: its offsets are confirmed only when it is counted or set aside."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Executor
from typing import Protocol, TypeVar

import structlog

from analytics_stream.database import OffsetsLost, Refused, StoreAway
from analytics_stream.dead_letters import DeadLetter, Message, set_aside
from analytics_stream.folding import Event, Undecodable, decode
from analytics_stream.metrics import BATCH_SECONDS, DUPLICATES, FOLDED, STORE_FAILURES
from analytics_stream.offsets import OffsetTracker, OffsetUpdate
from analytics_stream.progress import Progress

# Seconds between two tries of a database that is away; each wait is twice the one before.
SHORTEST_WAIT, LONGEST_WAIT = 0.1, 3.0

Result = TypeVar("Result")
DecodedMessage = tuple[Event, Message]

log = structlog.stdlib.get_logger("analytics.batch_processor")


class CodeFault(Exception):
    """Our own code fails on these events.

    The text is the kind of error only, because the error itself may quote a patient.
    """


class CountStore(Protocol):
    """The part of the store that counting needs."""

    def count(self, events: Sequence[Event], updates: Sequence[OffsetUpdate] = ()) -> int: ...

    def save_offsets(self, updates: Sequence[OffsetUpdate]) -> None: ...


class BatchProcessor:
    """Counts batches, one after the other.

    `post` delivers a dead letter and returns when the broker has it. `executor` runs the blocking
    database work.
    """

    def __init__(
        self,
        store: CountStore,
        post: Callable[[DeadLetter], Awaitable[object]],
        tracker: OffsetTracker,
        progress: Progress,
        executor: Executor,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._store, self._post, self._tracker, self._progress = store, post, tracker, progress
        self._executor, self._sleep = executor, sleep

    async def process(self, batch: Sequence[Message]) -> None:
        """Counts the batch, sets aside what cannot be counted, then confirms its offsets.

        A confirmed offset is committed to the group. Raises CannotGoOn or OffsetsLost.
        """
        decoded, letters = decode_batch(batch)
        updates = self._tracker.updates_for(batch)
        oldest = min((event.occurred_at for event, _ in decoded), default=None)
        self._progress.begin_batch(oldest)
        with BATCH_SECONDS.time():
            if letters or await self._try_count(decoded, updates):
                await self._count_or_set_aside(decoded, letters, updates)
        self._tracker.confirm(updates)
        self._progress.end_batch()

    async def _count_or_set_aside(
        self,
        decoded: list[DecodedMessage],
        letters: list[DeadLetter],
        updates: Sequence[OffsetUpdate],
    ) -> None:
        """Counts what can be counted and posts the rest.

        The offsets move last, so that a kill before that lets everything be read again.
        """
        letters = letters + await self._count_by_halves(decoded)
        await asyncio.gather(*map(self._set_aside, letters))
        await self._retry_while_away(lambda: self._store.save_offsets(updates))

    async def _count_by_halves(self, decoded: list[DecodedMessage]) -> list[DeadLetter]:
        """Halves the batch until each failing message is alone; returns the letters for them."""
        reason = await self._try_count(decoded) if decoded else None
        if reason is None:
            return []
        if len(decoded) == 1:
            return [DeadLetter(decoded[0][1], reason)]
        middle = len(decoded) // 2
        letters = await self._count_by_halves(decoded[:middle])
        return letters + await self._count_by_halves(decoded[middle:])

    async def _try_count(
        self, decoded: list[DecodedMessage], updates: Sequence[OffsetUpdate] = ()
    ) -> str | None:
        """Counts, however long the database is away.

        Returns None, or the reason why these events together can never be counted.
        """
        events = [event for event, _ in decoded]
        try:
            fresh = await self._retry_while_away(lambda: self._store.count(events, updates))
        except Refused:
            return "the database refuses its values"
        except CodeFault as fault:
            if len(decoded) == 1:
                log.error(
                    "Our own code fails on an event.",
                    event_id=events[0].event_id,
                    exc_info=fault.__cause__,
                )
            return f"handler fault: {fault}"
        FOLDED.inc(fresh)
        DUPLICATES.inc(len(decoded) - fresh)
        return None

    async def _retry_while_away(self, work: Callable[[], Result]) -> Result:
        wait, loop = SHORTEST_WAIT, asyncio.get_running_loop()
        while True:
            try:
                result = await loop.run_in_executor(self._executor, call_store, work)
            except StoreAway as away:
                STORE_FAILURES.inc()
                if wait == SHORTEST_WAIT:
                    log.warning("The database is away; the batch waits for it.", cause=str(away))
                self._progress.restart_waits()
                await self._sleep(wait)
                wait = min(wait * 2, LONGEST_WAIT)
            else:
                if wait > SHORTEST_WAIT:
                    log.warning("The database is back.")
                self._progress.record_move()
                return result

    async def _set_aside(self, letter: DeadLetter) -> None:
        await set_aside(letter, self._post, self._sleep)
        self._progress.record_move()


def call_store(work: Callable[[], Result]) -> Result:
    """Calls `work`, and raises HandlerFault for an error of ours that certain events cause.

    Errors that any events would meet are passed on as they are.
    """
    try:
        return work()
    except (StoreAway, Refused, OffsetsLost, MemoryError):
        raise
    except Exception as error:
        raise CodeFault(type(error).__name__) from error


def decode_batch(batch: Sequence[Message]) -> tuple[list[DecodedMessage], list[DeadLetter]]:
    """Returns the events of a batch with their messages, and a letter for each other message."""
    decoded: list[DecodedMessage] = []
    letters: list[DeadLetter] = []
    for message in batch:
        try:
            decoded.append((decode(message.value), message))
        except Undecodable as reason:
            letters.append(DeadLetter(message, str(reason)))
        except Exception as error:
            letters.append(DeadLetter(message, f"handler fault: {type(error).__name__}"))
    return decoded, letters
