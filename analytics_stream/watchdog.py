"""Waits for the broker at the start, then watches that the counting moves."""

import asyncio
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import cast

import structlog
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError
from faust import App
from faust.types import TP
from mode import Service

from analytics_stream.database import OffsetsLost
from analytics_stream.offset_store import OffsetStore
from analytics_stream.progress import PartitionProgress, Progress
from analytics_stream.shutdown import end_process
from analytics_stream.transport import AnalyticsConsumer

UPDATE_SECONDS = 0.25  # Between two updates of the progress.
ASK_SECONDS = 3.0  # Between two questions to the database, or to a broker that is silent.
TOPIC_SECONDS = 10.0  # Between two comparisons of the topic's fingerprints.
SHORTENED_UPDATES = 8  # So many updates in a row must find the topic shortened to end the process.
SHORTEST_WAIT, LONGEST_WAIT = (
    0.2,
    3.0,
)  # Seconds between two tries to reach the broker at the start.

log = structlog.stdlib.get_logger("analytics.watchdog")


class WaitForBroker(Service):
    """Starts before the producer and the consumer, whose start fails while the broker is away."""

    def __init__(self, brokers: Sequence[str]) -> None:
        super().__init__()
        self._brokers = list(brokers)

    async def on_start(self) -> None:
        wait = SHORTEST_WAIT
        while not self.should_stop and not await broker_answers(self._brokers):
            if wait == SHORTEST_WAIT:
                log.warning("The broker is away; we wait for it.")
            await self.sleep(wait)
            wait = min(wait * 2, LONGEST_WAIT)


async def broker_answers(brokers: list[str]) -> bool:
    client = AIOKafkaClient(bootstrap_servers=brokers, request_timeout_ms=5000)
    try:
        await client.bootstrap()
    except (KafkaError, OSError, TimeoutError):
        return False
    finally:
        await client.close()
    return True


class Watchdog(Service):
    """Updates the progress of our partitions, and ends the process when nothing moves any more."""

    def __init__(
        self, app: App, progress: Progress, brokers: Sequence[str], offset_store: OffsetStore
    ) -> None:
        super().__init__()
        self._app, self._progress, self._offset_store = app, progress, offset_store
        self._brokers = list(brokers)
        self._broker_answered, self._asked_at = True, 0.0
        self._beginnings: dict[TP, int] = {}
        self._shortened_updates = 0

    async def on_start(self) -> None:
        self._app.on_rebalance_complete.connect(self._on_joined)
        thread = threading.Thread(
            target=end_when_stuck, args=[self._progress], name="watchdog", daemon=True
        )
        thread.start()

    async def _on_joined(self, *_: object, **__: object) -> None:
        self._beginnings = {}
        self._progress.join()
        log.info(
            "Partitions are ours.",
            partitions=sorted(tp.partition for tp in self._app.consumer.assignment()),
        )

    @Service.task
    async def _update_progress(self) -> None:
        while not self.should_stop:
            partitions = None if self._app.rebalancing else await self._partitions()
            self._progress.update(partitions)
            self._check_length((partitions or {}).values())
            if partitions is None or any(
                partition.is_silent(time.time()) for partition in partitions.values()
            ):
                await self._ask_broker()
            await self.sleep(UPDATE_SECONDS)

    def _check_length(self, partitions: Iterable[PartitionProgress]) -> None:
        """Ends the process when the topic was replaced by a shorter one.

        Faust would skip the messages of the new one up to where the old one was read.
        """
        is_shortened = any(partition.is_shortened for partition in partitions)
        self._shortened_updates = self._shortened_updates + 1 if is_shortened else 0
        if self._shortened_updates >= SHORTENED_UPDATES:
            end_process("The topic is shorter than it was. It is read from its beginning.")

    @Service.task
    async def _check_database(self) -> None:
        """Ends the process when the database was emptied, so that it is filled again at once and
        not only with the next event."""
        while not self.should_stop:
            await self.sleep(ASK_SECONDS)
            if await self._offset_store.has_lost_offsets():
                end_process(str(OffsetsLost()))

    @Service.task
    async def _check_topic(self) -> None:
        """Ends the process when the topic was replaced by one that is as long or longer.

        The broker need not tell its consumers of it.
        """
        while not self.should_stop:
            await self.sleep(TOPIC_SECONDS)
            if self._app.rebalancing:
                continue
            consumer = cast(AnalyticsConsumer, self._app.consumer)
            if await self._offset_store.has_another_topic(await consumer.read_fingerprints()):
                end_process("The topic was replaced. It is read from its beginning.")

    async def _ask_broker(self) -> None:
        """Excuses the wait when the broker is away, but not when it answers and sends nothing."""
        if time.monotonic() - self._asked_at > ASK_SECONDS:
            answers = await broker_answers(self._brokers)
            if not answers:
                self._progress.restart_waits()
            if answers != self._broker_answered:
                log.warning(
                    "The broker is back." if answers else "The broker is away; we wait for it."
                )
            self._broker_answered, self._asked_at = answers, time.monotonic()

    async def _partitions(self) -> dict[TP, PartitionProgress]:
        consumer = cast(AnalyticsConsumer, self._app.consumer)
        partitions = {tp: consumer.progress_of(tp) for tp in consumer.assignment()}
        unread = [tp for tp, partition in partitions.items() if partition.next_offset is None]
        for tp in unread:
            partitions[tp] = replace(partitions[tp], next_offset=await self._beginning_of(tp))
        return partitions

    async def _beginning_of(self, tp: TP) -> int | None:
        if tp not in self._beginnings:
            try:
                found = await asyncio.wait_for(self._app.consumer.earliest_offsets(tp), ASK_SECONDS)
            except (KafkaError, TimeoutError):
                return None
            self._beginnings |= found
        return self._beginnings.get(tp)


def end_when_stuck(progress: Progress) -> None:
    """Ends the process when it hangs. As a thread it notices a hanging event loop too."""
    while not progress.is_stuck():
        time.sleep(1)
    end_process("Messages wait and nothing moves: this process hangs.")
