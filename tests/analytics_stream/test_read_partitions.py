"""The offset from which a partition is read on after its assignment."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import SimpleNamespace

import pytest
from aiokafka.structs import ConsumerRecord
from faust.types import TP

from analytics_stream.database import OffsetsLost, Refused, StoreAway
from analytics_stream.offset_store import OffsetStore
from analytics_stream.offsets import (
    OffsetTracker,
    OffsetUpdate,
    StoredOffset,
    fingerprint,
    start_offset,
)
from analytics_stream.topic_fingerprint import _read_all
from analytics_stream.transport import AnalyticsConsumer, BatchScheduling
from tests.analytics_stream.database import execute
from tests.analytics_stream.messages import make_event

KNOWN, NEW, LONGER, WIPED, REPLACED = (TP("patient", number) for number in range(5))


@dataclass
class Message:
    offset: int
    topic: str = "patient"
    partition: int = 0
    timestamp: int = 1_500
    key: bytes | None = b"key"
    value: bytes | None = b"value"


FIRST = fingerprint(Message(0))


class FakeStore:
    """Has these offsets of partitions that began with FIRST, or is away when there are none."""

    def __init__(self, offsets):
        self.offsets = offsets

    def read_offsets(self):
        if self.offsets is None:
            raise StoreAway
        return {place: StoredOffset(offset, FIRST) for place, offset in self.offsets.items()}


def offsets_in(store):
    return {place: stored.next_offset for place, stored in store.read_offsets().items()}


class FakeConsumer(AnalyticsConsumer):
    """A consumer without its thread, with what a group has committed."""

    def __init__(self, committed, stored, ends, replaced=()):
        self._committed, self._ends, self.first = committed, ends, dict.fromkeys(committed, FIRST)
        self.first.update(dict.fromkeys(replaced, fingerprint(Message(0, timestamp=1_501))))
        self._read_offset, self._committed_offset = dict.fromkeys(committed, 12), {}
        self._thread, self.to_beginning, self.sought = self, set(), {}
        self.offset_store = OffsetStore(FakeStore(stored), ThreadPoolExecutor(1))

    _offset_store = property(lambda self: self.offset_store)

    def assignment(self):
        return set(self._committed)

    async def highwaters(self, *partitions):
        return {tp: self._ends.get(tp, 1000) for tp in partitions}

    async def read_fingerprints(self):
        return self.first

    async def seek_to_committed(self):
        return self._committed

    async def seek_to_beginning(self, *partitions):
        self.to_beginning |= {TP(*partition) for partition in partitions}

    async def _seek(self, partition, offset):
        self.sought[TP(*partition)] = offset


def seek(committed, stored, ends=None, replaced=()):
    consumer = FakeConsumer(committed, stored, ends or {}, replaced)
    asyncio.run(consumer.perform_seek())
    return consumer


def test_reading_begins_at_the_offset_of_both_group_and_database():
    """Red with Faust alone: a new group never reads what Faust threw away in a rebalance."""
    consumer = seek(
        {KNOWN: 42, NEW: None, LONGER: 90, WIPED: 50},
        {KNOWN: 40, NEW: 7, LONGER: 95},
        {LONGER: 80},
    )
    assert consumer.sought == {KNOWN: 40}
    assert consumer.to_beginning == {NEW, LONGER, WIPED}
    assert (
        consumer._read_offset
        == consumer._committed_offset
        == {KNOWN: 40, NEW: None, LONGER: None, WIPED: None}
    )


def test_a_partition_with_another_first_message_is_read_anew():
    """Red when offsets alone are compared: a longer new topic is read from the middle."""
    consumer = seek({KNOWN: 42, REPLACED: 42}, {KNOWN: 42, REPLACED: 42}, replaced=[REPLACED])
    assert (consumer.sought, consumer.to_beginning) == ({KNOWN: 42}, {REPLACED})


def test_without_an_answer_of_the_broker_the_offsets_count_for_now():
    consumer = FakeConsumer({KNOWN: 42}, {KNOWN: 40}, {})
    consumer.first = None
    asyncio.run(consumer.perform_seek())
    assert consumer.sought == {KNOWN: 40}


def test_a_partition_without_a_fingerprint_does_no_harm():
    """Red with a KeyError, which ended the process."""
    offset_store = OffsetStore(FakeStore({KNOWN: 40, NEW: 7}), ThreadPoolExecutor(1))
    starts = asyncio.run(
        offset_store.starts({KNOWN: 42, NEW: 7}, {KNOWN: 50, NEW: 50}, {KNOWN: FIRST})
    )
    assert starts == {KNOWN: 40, NEW: None}


def test_a_rebalance_meanwhile_is_left_to_the_next_call():
    consumer = FakeConsumer({KNOWN: 42}, {KNOWN: 40}, {})
    assignments = iter([{KNOWN}, {KNOWN, NEW}])
    consumer.assignment = lambda: next(assignments)
    asyncio.run(consumer.perform_seek())
    assert (consumer.sought, consumer.to_beginning, consumer.offset_store.tracker.expected()) == (
        {},
        set(),
        {},
    )


def test_without_an_answer_of_the_database_the_group_counts_for_now():
    consumer = seek({KNOWN: 42, NEW: None}, None)
    assert (consumer.sought, consumer.to_beginning) == ({KNOWN: 42}, {NEW})
    assert consumer.offset_store.tracker.expected() == {KNOWN: 42}


@pytest.mark.parametrize(
    ("committed", "stored", "end", "start"),
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
def test_the_smaller_offset_wins_and_where_one_is_missing_the_beginning(
    committed, stored, end, start
):
    assert start_offset(committed, stored, end) == start


def test_the_group_gets_the_offsets_that_the_database_has():
    """Red when the group gets what was read: a killed worker's batch would be skipped."""
    consumer = seek(
        {KNOWN: 42, NEW: None, LONGER: 7}, {KNOWN: 40, LONGER: 7}, {LONGER: 9, KNOWN: 50}
    )
    assert consumer._filter_committable_offsets([]) == {}
    tracker = consumer.offset_store.tracker
    updates = tracker.updates_for([Message(40), Message(44), Message(3, partition=NEW.partition)])
    assert consumer._filter_committable_offsets([]) == {}
    tracker.confirm(updates)
    assert consumer._filter_committable_offsets([]) == {KNOWN: 45, NEW: 4}


def test_what_was_fetched_together_is_handed_over_as_one_batch():
    fetched = {KNOWN: [make_record(KNOWN, 7), make_record(KNOWN, 8)], NEW: [make_record(NEW, 2)]}
    scheduling, consumer = BatchScheduling(), FakeConsumer({}, {}, {})
    consumer.app = SimpleNamespace(consumer_generation_id=3)
    assert list(scheduling.iterate({})) == []
    [(place, together)] = scheduling.iterate(fetched)
    message = consumer._to_message(place, together)
    assert message.value == [*fetched[KNOWN], *fetched[NEW]]
    assert (message.tp, message.offset, message.generation_id) == (KNOWN, 8, 3)


def make_record(place, offset):
    return ConsumerRecord(*place, offset, 1_500, 0, b"key", b"value", None, 3, 5, ())


def test_an_update_has_the_stored_and_the_next_offset():
    tracker = OffsetTracker()
    tracker.assign({("patient", 0): 5, ("patient", 1): None})
    batch = [
        Message(5),
        Message(7),
        Message(3, partition=1),
        Message(9, partition=2),
        Message(8, partition=2),
    ]
    first = tracker.updates_for(batch)
    assert first == [
        ("patient", 0, 5, 8, None),
        ("patient", 1, None, 4, fingerprint(Message(3))),
        ("patient", 2, 8, 10, None),
    ]
    tracker.confirm(first)
    assert tracker.expected() == {("patient", 0): 8, ("patient", 1): 4}


def test_offsets_are_stored_with_the_events_or_not_at_all(store, database):
    tracker = OffsetTracker()
    tracker.assign({("patient", 0): None})
    store.count([make_event(1)], tracker.updates_for([Message(0)]))
    too_large = make_event(2)._replace(state=make_event(2).state._replace(birth_year=2**40))
    with pytest.raises(Refused):
        store.count([too_large], tracker.updates_for([Message(1)]))
    assert offsets_in(store) == {("patient", 0): 1}


def test_a_database_that_was_emptied_takes_nothing_more_from_this_process(store, database):
    """Red when counting goes on: what was counted before would be missing."""
    tracker = OffsetTracker()
    tracker.assign({("patient", 0): None})
    for offset in (0, 1):
        batch = tracker.updates_for([Message(offset)])
        store.count([make_event(offset + 1, number=offset + 1)], batch)
        tracker.confirm(batch)
    execute(database, "TRUNCATE counted_event, patient_state, figure, read_offset")
    with pytest.raises(OffsetsLost):
        store.count([make_event(3, number=3)], tracker.updates_for([Message(2)]))
    with pytest.raises(OffsetsLost):
        store.save_offsets(tracker.updates_for([Message(2)]))
    assert execute(database, "SELECT count(*) FROM counted_event") == [(0,)]
    assert offsets_in(store) == {}


def test_a_worker_that_wakes_up_late_does_not_move_an_offset_back(store):
    awake, asleep = OffsetTracker(), OffsetTracker()
    store.save_offsets([OffsetUpdate("patient", 0, stored=None, next_offset=5)])
    for tracker in (awake, asleep):
        tracker.assign({("patient", 0): 5})
    store.save_offsets(awake.updates_for([Message(5), Message(90)]))
    store.save_offsets(asleep.updates_for([Message(5), Message(6)]))
    assert offsets_in(store) == {("patient", 0): 91}


def test_a_replaced_topic_begins_with_a_new_offset(store):
    tracker = OffsetTracker()
    store.save_offsets([OffsetUpdate("patient", 0, stored=None, next_offset=5000)])
    tracker.assign({("patient", 0): None})
    store.save_offsets(tracker.updates_for([Message(0), Message(3)]))
    assert offsets_in(store) == {("patient", 0): 4}


def test_a_fingerprint_stays_until_the_partition_is_read_anew(store):
    tracker = OffsetTracker()
    tracker.assign({("patient", 0): None})
    for batch in ([Message(0), Message(1)], [Message(2)]):
        updates = tracker.updates_for(batch)
        store.save_offsets(updates)
        tracker.confirm(updates)
    assert store.read_offsets() == {("patient", 0): StoredOffset(3, FIRST)}
    tracker.assign({("patient", 0): None})
    again = Message(0, timestamp=2_000)
    store.save_offsets(tracker.updates_for([again]))
    assert store.read_offsets() == {("patient", 0): StoredOffset(1, fingerprint(again))}


@pytest.mark.parametrize(
    "other",
    [
        {"offset": 1},
        {"timestamp": 1_501},
        {"key": b"other"},
        {"value": None},
        {"key": b"keyv", "value": b"alue"},
    ],
)
def test_another_message_has_another_fingerprint(other):
    assert fingerprint(Message(**{"offset": 0, **other})) != FIRST


@pytest.mark.parametrize(
    ("begun", "fingerprint_now", "is_another"),
    [(5, FIRST, False), (5, b"other", True), (5, None, True), (None, b"other", False)],
)
def test_a_topic_that_was_replaced_unnoticed_is_found(begun, fingerprint_now, is_another):
    """A partition that is read from its beginning anyway is left out."""
    offset_store = OffsetStore(FakeStore({("patient", 0): 5}), ThreadPoolExecutor(1))
    offset_store.tracker.assign({("patient", 0): begun})
    assert (
        asyncio.run(offset_store.has_another_topic({("patient", 0): fingerprint_now})) is is_another
    )


def has_lost(tracker, stored, meanwhile=()):
    """Tells whether offsets are lost when the database has `stored`, and these batches were counted
    while it was asked."""
    expected = tracker.expected()
    for batch in meanwhile:
        tracker.confirm(tracker.updates_for(batch))
    return tracker.has_lost(
        expected, {place: StoredOffset(offset, FIRST) for place, offset in stored.items()}
    )


def test_a_batch_that_was_counted_meanwhile_is_no_loss():
    tracker = OffsetTracker()
    tracker.assign({("patient", 0): 5, ("patient", 1): None})
    assert not has_lost(tracker, {("patient", 0): 5})
    assert not has_lost(tracker, {("patient", 0): 5}, meanwhile=[[Message(9)]])
    assert has_lost(tracker, {("patient", 0): 9})
    assert has_lost(tracker, {})


class ForgetfulConsumer:
    """A consumer of two partitions, of which the broker forgot the beginning of the second."""

    def assign(self, partitions):
        self.first = dict(zip(partitions, (0, 7), strict=True))

    async def beginning_offsets(self, partitions):
        return self.first

    async def end_offsets(self, partitions):
        return dict.fromkeys(partitions, 9)

    def seek(self, partition, offset):
        self.at = offset

    async def getone(self, partition):
        return Message(self.at)


def test_a_partition_whose_beginning_is_forgotten_is_not_taken_for_another():
    """Red when a long backlog on the embedded broker ends the worker, to read all of it again."""
    fingerprints = asyncio.run(_read_all(ForgetfulConsumer(), [KNOWN, NEW]))
    assert fingerprints == {KNOWN: FIRST}
    tracker = OffsetTracker()
    tracker.assign({KNOWN: 5, NEW: 8})
    stored = {KNOWN: StoredOffset(5, FIRST), NEW: StoredOffset(8, FIRST)}
    assert not tracker.is_replaced(stored, fingerprints)
