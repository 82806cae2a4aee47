"""How far the counts are behind the topic, and whether they still move."""

import time
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

SILENCE_SECONDS = 5.0
STUCK_SECONDS = 30.0
ONE_STUCK_SECONDS = (
    300.0  # For one partition while others move: a long backlog is read partition by partition.
)
JOIN_SECONDS = (
    90.0  # A group waits for its slowest member for up to a minute before it hands out partitions.
)


@dataclass(frozen=True, slots=True)
class Partition:
    """Where one partition of ours stands.

    `next_offset` is the first message not counted, `highwater` the number that the next one sent will get; None where
    that is not known yet. `heard_at` is when the broker last told us, as time.time().
    """

    next_offset: int | None
    highwater: int | None
    heard_at: float | None

    def is_counted(self, now: float) -> bool:
        if self.next_offset is None or self.highwater is None:
            return False
        # Fewer messages than we counted: the topic was made anew, and Faust would skip its messages.
        return self.next_offset == self.highwater and not self.is_silent(now)

    @property
    def is_anew(self) -> bool:
        """The partition holds fewer messages than we counted."""
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
    """Written by the event loop, read by the web routes and by the watchdog's thread."""

    def __init__(self) -> None:
        self.has_joined = False
        self.messages_behind = 0
        self.is_caught_up = False
        self._caught_up_at = time.time()
        self._oldest_in_hand: datetime | None = None
        self._moved_at = self._looked_at = time.monotonic()
        self._moves: dict[Hashable, tuple[int | None, float]] = {}

    def join(self) -> None:
        """Partitions were handed out."""
        self.has_joined = True
        self._moves = {}
        self.move()

    def move(self) -> None:
        """A batch is done."""
        self._moved_at = time.monotonic()

    def excuse(self) -> None:
        """Something failed for a reason that is known, and will be tried again: waiting for it is no hanging."""
        self._moves = {}
        self.move()

    def take_in_hand(self, oldest: datetime | None) -> None:
        """A batch is being counted, and its oldest event is of this time. None when it is done."""
        self._oldest_in_hand = oldest

    def look(self, partitions: Mapping[Any, Partition] | None) -> None:
        """Take note of where our partitions stand, a few times a second; None while they change hands."""
        now, tick = time.time(), time.monotonic()
        self._looked_at = tick
        if partitions is None:
            self.is_caught_up = False
            return
        self.messages_behind = sum(partition.messages_behind for partition in partitions.values())
        waiting = {
            tp: partition.next_offset
            for tp, partition in partitions.items()
            if not partition.is_counted(now)
        }
        self._moves = {tp: self._last_move(tp, offset, tick) for tp, offset in waiting.items()}
        self.is_caught_up = self.has_joined and not waiting
        if self.is_caught_up:
            self._caught_up_at = now
            self.move()

    def _last_move(self, tp: Hashable, offset: int | None, tick: float) -> tuple[int | None, float]:
        known = self._moves.get(tp)
        return known if known and known[0] == offset else (offset, tick)

    def lag_seconds(self) -> float:
        """Seconds between now and the time of the oldest event on the topic that is not counted yet, 0 when caught up.

        Caught up means: for each of our partitions the broker told us within the last five seconds where it ends, and
        everything up to there is counted. Otherwise the answer is the larger of two ages: of the oldest event in the
        batch that is being counted, and of the moment when we were last caught up (or started). Of messages that the
        broker still holds, or keeps from us while it is away, no more is known. A worker speaks for its own partitions.
        """
        if self.is_caught_up:
            return 0.0
        oldest = self._oldest_in_hand
        since = min(self._caught_up_at, oldest.timestamp()) if oldest else self._caught_up_at
        return max(0.0, round(time.time() - since, 3))

    def is_stuck(self) -> bool:
        """Nothing moved for 30 s though messages wait, or one partition for five minutes, or the event loop hangs."""
        now = time.monotonic()
        limit = STUCK_SECONDS if self.has_joined else JOIN_SECONDS
        oldest_wait = min((since for _, since in self._moves.values()), default=now)
        return (
            max(now - self._moved_at, now - self._looked_at) > limit
            or now - oldest_wait > ONE_STUCK_SECONDS
        )
