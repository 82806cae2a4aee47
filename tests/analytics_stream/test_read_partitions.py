"""From where a partition is read on after it was handed out."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
from faust.types import TP

from analytics_stream.database import OffsetsLost, Refused, StoreAway
from analytics_stream.keeper import Keeper
from analytics_stream.offsets import Bookmark, Bookmarks, start_of
from analytics_stream.transport import CarefulConsumer
from tests.analytics_stream.database import tell
from tests.analytics_stream.messages import event

KNOWN, NEW, LONGER, WIPED = (TP("patient", number) for number in range(4))


@dataclass
class Message:
    offset: int
    topic: str = "patient"
    partition: int = 0


class Kept:
    """A store that keeps these offsets, or is away when there are none."""

    def __init__(self, offsets):
        self.kept = offsets

    def offsets(self):
        if self.kept is None:
            raise StoreAway
        return self.kept


class Consumer(CarefulConsumer):
    """Ours, with what a group has committed, and without its thread."""

    def __init__(self, committed, kept, ends):
        self._committed, self._ends = committed, ends
        self._read_offset, self._committed_offset = dict.fromkeys(committed, 12), {}
        self._thread, self.to_beginning, self.sought = self, set(), {}
        self.keeper = Keeper(Kept(kept), ThreadPoolExecutor(1))

    _keeper = property(lambda self: self.keeper)

    def assignment(self):
        return set(self._committed)

    async def highwaters(self, *partitions):
        return {tp: self._ends.get(tp, 1000) for tp in partitions}

    async def seek_to_committed(self):
        return self._committed

    async def seek_to_beginning(self, *partitions):
        self.to_beginning |= {TP(*partition) for partition in partitions}

    async def _seek(self, partition, offset):
        self.sought[TP(*partition)] = offset


def seek(committed, kept, ends=None):
    consumer = Consumer(committed, kept, ends or {})
    asyncio.run(consumer.perform_seek())
    return consumer


def test_reading_begins_where_group_and_database_both_know_to_be():
    """Red when this is left to Faust: it never read again what it threw away in a rebalance of a new group."""
    consumer = seek(
        {KNOWN: 42, NEW: None, LONGER: 90, WIPED: 50},
        {KNOWN: 40, NEW: 7, LONGER: 95},
        {LONGER: 80},
    )
    assert consumer.sought == {KNOWN: 40}
    assert consumer.to_beginning == {NEW, LONGER, WIPED}
    assert consumer._read_offset == consumer._committed_offset == {KNOWN: 40, NEW: None, LONGER: None, WIPED: None}


def test_partitions_that_change_hands_meanwhile_are_left_to_the_next_call():
    consumer = Consumer({KNOWN: 42}, {KNOWN: 40}, {})
    hands = iter([{KNOWN}, {KNOWN, NEW}])
    consumer.assignment = lambda: next(hands)
    asyncio.run(consumer.perform_seek())
    assert (consumer.sought, consumer.to_beginning, consumer.keeper.bookmarks.known()) == ({}, set(), {})


def test_without_an_answer_of_the_database_the_group_is_believed_for_now():
    consumer = seek({KNOWN: 42, NEW: None}, None)
    assert (consumer.sought, consumer.to_beginning) == ({KNOWN: 42}, {NEW})
    assert consumer.keeper.bookmarks.known() == {KNOWN: 42}


@pytest.mark.parametrize(
    ("committed", "kept", "end", "start"),
    [
        (5, 7, 9, 5),
        (7, 5, 9, 5),
        (9, 9, 9, 9),
        (None, 5, 9, None),
        (5, None, 9, None),
        (0, 5, 9, None),
        (5, 5, 4, None),
        (5, 3, 4, None),
        (3, 5, 4, None),
    ],
)
def test_the_smaller_offset_wins_and_where_one_is_missing_the_beginning(committed, kept, end, start):
    assert start_of(committed, kept, end) == start


def test_a_bookmark_says_what_was_kept_before_and_what_is_to_be_kept():
    bookmarks = Bookmarks()
    bookmarks.begin({("patient", 0): 5, ("patient", 1): None})
    batch = [Message(5), Message(7), Message(3, partition=1), Message(9, partition=2), Message(8, partition=2)]
    first = bookmarks.after(batch)
    assert first == [("patient", 0, 5, 8), ("patient", 1, None, 4), ("patient", 2, 8, 10)]
    bookmarks.keep(first)
    assert bookmarks.known() == {("patient", 0): 8, ("patient", 1): 4}


def test_offsets_are_kept_with_the_events_or_not_at_all(store, database):
    bookmarks = Bookmarks()
    bookmarks.begin({("patient", 0): None})
    store.count([event(1)], bookmarks.after([Message(0)]))
    too_large = event(2)._replace(state=event(2).state._replace(birth_year=2**40))
    with pytest.raises(Refused):
        store.count([too_large], bookmarks.after([Message(1)]))
    assert store.offsets() == {("patient", 0): 1}


def test_a_database_that_was_emptied_takes_nothing_more_from_this_process(store, database):
    """Red when counting goes on: what was counted before would be missing until somebody notices."""
    bookmarks = Bookmarks()
    bookmarks.begin({("patient", 0): None})
    for offset in (0, 1):
        batch = bookmarks.after([Message(offset)])
        store.count([event(offset + 1, number=offset + 1)], batch)
        bookmarks.keep(batch)
    tell(database, "TRUNCATE counted_event, patient_state, figure, read_offset")
    with pytest.raises(OffsetsLost):
        store.count([event(3, number=3)], bookmarks.after([Message(2)]))
    with pytest.raises(OffsetsLost):
        store.keep(bookmarks.after([Message(2)]))
    assert tell(database, "SELECT count(*) FROM counted_event") == [(0,)]
    assert store.offsets() == {}


def test_a_worker_that_wakes_up_late_does_not_move_a_bookmark_back(store):
    awake, asleep = Bookmarks(), Bookmarks()
    store.keep([Bookmark("patient", 0, kept=None, next_offset=5)])
    for bookmarks in (awake, asleep):
        bookmarks.begin({("patient", 0): 5})
    store.keep(awake.after([Message(5), Message(90)]))
    store.keep(asleep.after([Message(5), Message(6)]))
    assert store.offsets() == {("patient", 0): 91}


def test_a_topic_that_was_made_anew_begins_its_bookmark_anew(store):
    bookmarks = Bookmarks()
    store.keep([Bookmark("patient", 0, kept=None, next_offset=5000)])
    bookmarks.begin({("patient", 0): None})
    store.keep(bookmarks.after([Message(0), Message(3)]))
    assert store.offsets() == {("patient", 0): 4}


def lost(bookmarks, kept, meanwhile=()):
    """What the keeper finds when the database answers `kept`, and these batches were counted while it asked."""
    known = bookmarks.known()
    for batch in meanwhile:
        bookmarks.keep(bookmarks.after(batch))
    return bookmarks.lost(known, kept)


def test_a_loss_is_told_from_a_batch_that_was_counted_meanwhile():
    bookmarks = Bookmarks()
    bookmarks.begin({("patient", 0): 5, ("patient", 1): None})
    assert not lost(bookmarks, {("patient", 0): 5})
    assert not lost(bookmarks, {("patient", 0): 5}, meanwhile=[[Message(9)]])
    assert lost(bookmarks, {("patient", 0): 9})
    assert lost(bookmarks, {})
