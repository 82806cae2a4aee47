"""Measures how far the counts are behind the topic, and whether they still move."""

import time
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

SILENCE_SECONDS = 5.0  # After this long without news a broker may have more messages than we know.
STUCK_SECONDS = 30.0  # After this long without any move the process ends.
# The same for one partition while others move: a long backlog is read partition by partition.
PARTITION_STUCK_SECONDS = 300.0
# The same before the first assignment: a group waits for its slowest member for up to a minute.
JOIN_SECONDS = 90.0


@dataclass(frozen=True, slots=True)
class PartitionProgress:
    """The position in an assigned partition.

    `next_offset` is the first message that is not counted, `highwater` the offset that the next
    sent message will get; None while unknown. `heard_at` is the time.time() of the broker's last
    answer.
    """

    next_offset: int | None
    highwater: int | None
    heard_at: float | None

    def is_caught_up(self, now: float) -> bool:
        if self.next_offset is None or self.highwater is None:
            return False
        # With fewer messages than we counted the topic was replaced, and Faust would skip its
        # messages.
        return self.next_offset == self.highwater and not self.is_silent(now)

    @property
    def is_shortened(self) -> bool:
        """Tells whether the partition holds fewer messages than we counted."""
        return (
            self.next_offset is not None
            and self.highwater is not None
            and self.next_offset > self.highwater
        )

    def is_silent(self, now: float) -> bool:
        return self.heard_at is None or now - self.heard_at > SILENCE_SECONDS

    @property
    def messages_behind(self) -> int:
        return max(0, (self.highwater or 0) - (self.next_offset or 0))


class Progress:
    """The progress of this worker, for its own partitions.

    The event loop writes it; the web routes and the watchdog's thread read it.
    """

    def __init__(self) -> None:
        self.has_joined = False
        self.messages_behind = 0
        self.is_caught_up = False
        self._caught_up_at = time.time()
        self._oldest_in_batch: datetime | None = None
        self._moved_at = self._updated_at = time.monotonic()
        self._moves: dict[Hashable, tuple[int | None, float]] = {}

    def join(self) -> None:
        """Takes note that partitions were assigned."""
        self.has_joined = True
        self.restart_waits()

    def record_move(self) -> None:
        """Takes note that a part of the work is done."""
        self._moved_at = time.monotonic()

    def restart_waits(self) -> None:
        """Starts every wait anew: work failed for a known reason and will be tried again."""
        self._moves = {}
        self.record_move()

    def begin_batch(self, oldest: datetime | None) -> None:
        """Takes note that a batch is being counted, and of the time of its oldest event."""
        self._oldest_in_batch = oldest

    def end_batch(self) -> None:
        self._oldest_in_batch = None
        self.record_move()

    def update(self, partitions: Mapping[Any, PartitionProgress] | None) -> None:
        """Takes the positions of all assigned partitions, a few times a second; None while the
        group rebalances."""
        now, tick = time.time(), time.monotonic()
        self._updated_at = tick
        if partitions is None:
            self.is_caught_up = False
            return
        self.messages_behind = sum(partition.messages_behind for partition in partitions.values())
        waiting = {
            tp: partition.next_offset
            for tp, partition in partitions.items()
            if not partition.is_caught_up(now)
        }
        self._moves = {tp: self._last_move(tp, offset, tick) for tp, offset in waiting.items()}
        self.is_caught_up = self.has_joined and not waiting
        if self.is_caught_up:
            self._caught_up_at = now
            self.record_move()

    def _last_move(self, tp: Hashable, offset: int | None, tick: float) -> tuple[int | None, float]:
        known = self._moves.get(tp)
        return known if known and known[0] == offset else (offset, tick)

    def lag_seconds(self) -> float:
        """Returns the seconds since the oldest uncounted event happened, 0 when caught up.

        Caught up means: for each of our partitions the broker told us within the last five seconds
        where it ends, and everything up to there is counted. Otherwise the lag is the larger of
        two ages: of the oldest event in the batch that is being counted, and of the moment when we
        were last caught up (or started). Nothing more is known of messages that the broker has not
        given to us yet.
        """
        if self.is_caught_up:
            return 0.0
        oldest = self._oldest_in_batch
        since = min(self._caught_up_at, oldest.timestamp()) if oldest else self._caught_up_at
        return max(0.0, round(time.time() - since, 3))

    def is_stuck(self) -> bool:
        """Tells whether nothing moved for 30 s though messages wait, one partition did not move for
        five minutes, or the event loop hangs."""
        now = time.monotonic()
        limit = STUCK_SECONDS if self.has_joined else JOIN_SECONDS
        oldest_wait = min((since for _, since in self._moves.values()), default=now)
        return (
            max(now - self._moved_at, now - self._updated_at) > limit
            or now - oldest_wait > PARTITION_STUCK_SECONDS
        )
