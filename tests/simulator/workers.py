"""Analytics' workers, and the consumer group that delivers the topic: repeated and late."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from itertools import chain, zip_longest
from typing import Any

from analytics_stream.batch_processor import BatchProcessor
from analytics_stream.database import OffsetsLost, StoreAway
from analytics_stream.dead_letters import CannotGoOn, DeadLetter
from analytics_stream.folding import Event
from analytics_stream.offset_store import OffsetStore
from analytics_stream.offsets import OffsetTracker, OffsetUpdate, StoredOffset, fingerprint
from analytics_stream.progress import Progress
from analytics_stream.store import Store
from tests.simulator.broker import PARTITIONS, Broker, Record
from tests.simulator.processes import Interrupt, Outcome, Process, point

LARGEST_BATCH = 20


@dataclass
class Message:
    """A message as aiokafka delivers it."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes
    headers: Any
    timestamp: int


class Tracker(OffsetTracker):
    """Collects the confirmed offsets, which the consumer commits to the group."""

    def __init__(self) -> None:
        super().__init__()
        self.confirmed: dict[int, int] = {}

    def confirm(self, updates: Iterable[OffsetUpdate]) -> None:
        point("analytics acknowledges")
        super().confirm(updates)
        self.confirmed |= {update.partition: update.next_offset for update in updates}


class InlineExecutor(Executor):
    """Runs the work in the calling thread."""

    def submit(self, work: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(work(*args, **kwargs))
        except BaseException as error:
            future.set_exception(error)
        return future


class FaultyStore:
    """A store that may be away, or lose the answer to a commit."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.troubles: deque[str] = deque()

    def count(self, events: Sequence[Event], updates: Sequence[OffsetUpdate] = ()) -> int:
        return self._with_trouble(lambda: self._store.count(events, updates))

    def save_offsets(self, updates: Sequence[OffsetUpdate]) -> None:
        self._with_trouble(lambda: self._store.save_offsets(updates))

    def read_offsets(self) -> dict[tuple[str, int], StoredOffset]:
        return self._store.read_offsets()

    def _with_trouble(self, work: Callable[[], Any]) -> Any:
        trouble = self.troubles.popleft() if self.troubles else ""
        if trouble == "away":
            raise StoreAway(trouble)
        answer = work()
        point("analytics has counted")
        if trouble == "reply lost":
            raise StoreAway(trouble)
        return answer


class ConsumerGroup:
    """Assigns partitions to workers. A commit counts in the generation of its reading only."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self.generation, self.workers = 0, 2
        self._swapped = False

    def rebalance(self, workers: int) -> None:
        """Assigns the partitions anew, to this number of workers."""
        self.generation += 1
        self.workers, self._swapped = workers, not self._swapped

    def partitions_of(self, number: int) -> list[int]:
        return [p for p in range(PARTITIONS) if (p + self._swapped) % self.workers == number]

    def commit(self, generation: int, offsets: dict[int, int]) -> None:
        if generation == self.generation:
            self._broker.committed |= offsets


class Worker:
    """A process of analytics, with the real batch processor and offset store.

    `store` counts, `post` sends a dead letter.
    """

    def __init__(
        self,
        number: int,
        *,
        group: ConsumerGroup,
        broker: Broker,
        store: FaultyStore,
        post: Callable[[DeadLetter], Any],
    ) -> None:
        self.number, self._group, self._broker, self._store, self._post = (
            number,
            group,
            broker,
            store,
            post,
        )
        self.process = Process(f"worker {number}")
        # The first event loop runs in the worker's thread, the second one in the caller's.
        self._counts, self._queries = asyncio.Runner(), asyncio.Runner()
        self._start()

    def _start(self) -> None:
        self._offset_store = OffsetStore(self._store, InlineExecutor())
        self._offset_store.tracker = self._tracker = Tracker()
        self._processor = BatchProcessor(
            self._store,
            self._posted,
            self._tracker,
            Progress(),
            InlineExecutor(),
            self._no_wait,
        )
        self._generation = -1
        self._positions: dict[int, int] = {}

    def count(self, interrupt: Interrupt | None = None, *, commits: bool = True) -> Outcome | None:
        """Counts the waiting messages, or resumes a stopped batch. Returns None without messages.

        `commits` says whether the confirmed offsets reach the group.
        """
        if self.process.is_stopped:
            return self._finish(self.process.resume(interrupt), commits)
        batch = self._read()
        if not batch:
            return None
        return self._finish(
            self.process.begin(lambda: self._counts.run(self._processor.process(batch)), interrupt),
            commits,
        )

    def restart(self) -> None:
        self.process.kill()
        self._start()

    def end(self) -> None:
        self.process.begin(self._counts.close)
        self.process.end()
        self._queries.close()

    def has_read_all(self) -> bool:
        self._take_part()
        return not self.process.is_stopped and all(
            at >= len(self._broker.partitions[number]) for number, at in self._positions.items()
        )

    def _finish(self, outcome: Outcome, commits: bool) -> Outcome:
        """Commits, and restarts a worker that ended itself or died."""
        if outcome.state == "failed" and not isinstance(outcome.value, CannotGoOn | OffsetsLost):
            raise outcome.value
        if commits:
            self._group.commit(self._generation, self._tracker.confirmed)
            self._tracker.confirmed = {}
        if outcome.state in ("failed", "died"):
            self.restart()
        return outcome

    def _read(self) -> list[Message]:
        """Returns the next batch: a message from each partition in turn."""
        self._take_part()
        lanes = [self._lane(number, at) for number, at in self._positions.items()]
        in_turn = chain.from_iterable(zip_longest(*lanes))
        batch = [message for message in in_turn if message][:LARGEST_BATCH]
        for message in batch:
            self._positions[message.partition] = message.offset + 1
        return batch

    def _lane(self, number: int, at: int) -> Iterable[Message]:
        records = self._broker.partitions[number][at:]
        return [self._message(number, at + n, record) for n, record in enumerate(records)]

    def _take_part(self) -> None:
        """Joins the group, and starts new partitions where the offset store says.

        The worker restarts if the database lost its offsets.
        """
        if self._generation >= 0 and self._queries.run(self._offset_store.has_lost_offsets()):
            self.restart()
        if self._generation != self._group.generation:
            self._generation, self._tracker.confirmed = self._group.generation, {}
            assigned = [("patient", number) for number in self._group.partitions_of(self.number)]
            committed = {place: self._broker.committed.get(place[1]) for place in assigned}
            ends = {place: len(self._broker.partitions[place[1]]) for place in assigned}
            starts = self._queries.run(
                self._offset_store.starts(committed, ends, self._fingerprints())
            )
            self._offset_store.tracker.assign(starts)
            self._positions = {place[1]: start or 0 for place, start in starts.items()}

    def _fingerprints(self) -> dict[tuple[str, int], bytes | None]:
        return {
            ("patient", number): fingerprint(self._message(number, 0, lane[0])) if lane else None
            for number, lane in enumerate(self._broker.partitions)
        }

    def _message(self, partition: int, offset: int, record: Record) -> Message:
        sent_at = self._broker.incarnation * 1_000
        return Message(
            "patient", partition, offset, record.key, record.value, record.headers, sent_at
        )

    async def _posted(self, letter: DeadLetter) -> None:
        self._post(letter)

    async def _no_wait(self, seconds: float) -> None:
        point("analytics waits")
