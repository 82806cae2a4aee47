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
from analytics_stream.offset_store import Keeper
from analytics_stream.progress import Partition, Progress
from analytics_stream.shutdown import end_process
from analytics_stream.transport import CarefulConsumer

LOOK_SECONDS = 0.25
ASK_SECONDS = 3.0
OPENING_SECONDS = 10.0
ANEW_LOOKS = 8
SHORTEST_WAIT, LONGEST_WAIT = 0.2, 3.0

log = structlog.stdlib.get_logger("analytics.lookout")


class WaitForBroker(Service):
    """Is started before the producer and the consumer, because their start fails when the broker is away."""

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


class Lookout(Service):
    """Tells `progress` where our partitions stand, and ends the process when nothing moves any more."""

    def __init__(
        self, app: App, progress: Progress, brokers: Sequence[str], keeper: Keeper
    ) -> None:
        super().__init__()
        self._app, self._progress, self._brokers, self._keeper = (
            app,
            progress,
            list(brokers),
            keeper,
        )
        self._answered, self._asked_at = True, 0.0
        self._beginnings: dict[TP, int] = {}
        self._looks_anew = 0

    async def on_start(self) -> None:
        self._app.on_rebalance_complete.connect(self._on_joined)
        threading.Thread(target=watch, args=[self._progress], name="watchdog", daemon=True).start()

    async def _on_joined(self, *_: object, **__: object) -> None:
        self._beginnings = {}
        self._progress.join()
        log.info(
            "Partitions are ours.",
            partitions=sorted(tp.partition for tp in self._app.consumer.assignment()),
        )

    @Service.task
    async def _look(self) -> None:
        while not self.should_stop:
            standings = None if self._app.rebalancing else await self._standings()
            self._progress.look(standings)
            self._watch_for_a_shorter_topic((standings or {}).values())
            if standings is None or any(
                standing.is_silent(time.time()) for standing in standings.values()
            ):
                await self._ask_broker()
            await self.sleep(LOOK_SECONDS)

    def _watch_for_a_shorter_topic(self, standings: Iterable[Partition]) -> None:
        """Faust would skip what a topic that was made anew holds, up to where the old one was read."""
        self._looks_anew = (
            self._looks_anew + 1 if any(standing.is_anew for standing in standings) else 0
        )
        if self._looks_anew >= ANEW_LOOKS:
            end_process("The topic is shorter than it was. It is read from its beginning.")

    @Service.task
    async def _watch_the_database(self) -> None:
        """A database that was emptied is filled again at once, and not only when the next event comes."""
        while not self.should_stop:
            await self.sleep(ASK_SECONDS)
            if await self._keeper.has_lost_offsets():
                end_process(str(OffsetsLost()))

    @Service.task
    async def _watch_the_topic(self) -> None:
        """One that was made anew may be longer than the one before, and nobody may have told us."""
        while not self.should_stop:
            await self.sleep(OPENING_SECONDS)
            if self._app.rebalancing:
                continue
            if await self._keeper.has_another_topic(
                await cast(CarefulConsumer, self._app.consumer).openings()
            ):
                end_process(
                    "The topic is another than the one that was counted. It is read from its beginning."
                )

    async def _ask_broker(self) -> None:
        """A broker that is away excuses us; one that answers while we hear nothing does not."""
        if time.monotonic() - self._asked_at > ASK_SECONDS:
            answers = await broker_answers(self._brokers)
            if not answers:
                self._progress.excuse()
            if answers != self._answered:
                log.warning(
                    "The broker is back." if answers else "The broker is away; we wait for it."
                )
            self._answered, self._asked_at = answers, time.monotonic()

    async def _standings(self) -> dict[TP, Partition]:
        consumer = cast(CarefulConsumer, self._app.consumer)
        standings = {tp: consumer.standing_of(tp) for tp in consumer.assignment()}
        new = [tp for tp, standing in standings.items() if standing.next_offset is None]
        for tp in new:
            standings[tp] = replace(standings[tp], next_offset=await self._beginning_of(tp))
        return standings

    async def _beginning_of(self, tp: TP) -> int | None:
        if tp not in self._beginnings:
            try:
                found = await asyncio.wait_for(self._app.consumer.earliest_offsets(tp), ASK_SECONDS)
            except (KafkaError, TimeoutError):
                return None
            self._beginnings |= found
        return self._beginnings.get(tp)


def watch(progress: Progress) -> None:
    """In a thread of its own, so that it sees a hanging event loop too."""
    while not progress.is_stuck():
        time.sleep(1)
    end_process("Messages wait and nothing moves: this process hangs.")
