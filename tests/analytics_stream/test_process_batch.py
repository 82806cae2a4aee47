"""An offset is confirmed, and so committed, only when all before it is counted or set aside."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from analytics_stream.batch_processor import BatchProcessor
from analytics_stream.database import OffsetsLost, Refused, StoreAway
from analytics_stream.dead_letters import CannotGoOn
from analytics_stream.folding import decode
from analytics_stream.offsets import OffsetTracker
from analytics_stream.progress import Progress
from tests.analytics_stream.memory_store import MemoryStore
from tests.analytics_stream.messages import make_message


@dataclass
class Message:
    """A message of aiokafka, as far as the worker uses it."""

    value: bytes | None
    offset: int = 0
    topic: str = "patient"
    partition: int = 3
    key: bytes = b"key"
    headers: list = field(default_factory=lambda: [("ce_id", b"1")])
    timestamp: int = 1_500


class Tracker(OffsetTracker):
    """Tells whether the offset of the partition was confirmed."""

    def __init__(self):
        super().__init__()
        self.assign({("patient", 3): 0})

    @property
    def has_confirmed(self):
        return self.expected() != {("patient", 3): 0}


class FailingStore:
    """A store that raises the given errors, then counts; it always refuses patient 13."""

    def __init__(self, *errors):
        self.errors, self.inner = list(errors), MemoryStore()

    def save_offsets(self, updates):
        self.inner.save_offsets(updates)

    def count(self, events, updates=()):
        if self.errors:
            raise self.errors.pop(0)
        if any(event.state.patient_id.endswith("00d") for event in events):
            raise Refused
        return self.inner.count(events, updates)


def process_batch(batch, store=None, *, post=None, waits=None, tracker=None):
    letters, tracker = [], tracker or Tracker()

    async def deliver(letter):
        letters.append(letter)

    async def sleep(seconds):
        assert not tracker.has_confirmed, "confirmed before it was done"
        if waits is not None:
            waits.append(seconds)

    with ThreadPoolExecutor(1) as executor:
        processor = BatchProcessor(
            store or MemoryStore(), post or deliver, tracker, Progress(), executor, sleep
        )
        asyncio.run(processor.process(batch))
    return letters


def test_a_counted_batch_is_confirmed():
    tracker = Tracker()
    store, batch = MemoryStore(), [Message(make_message(1)), Message(make_message(2, number=2))]
    assert process_batch(batch, store, tracker=tracker) == []
    assert store.counts["events", ""] == 2
    assert tracker.has_confirmed


def test_a_batch_waits_for_a_database_that_is_away():
    tracker = Tracker()
    store, waits, batch = FailingStore(*[StoreAway()] * 8), [], [Message(make_message(1))]
    process_batch(batch, store, waits=waits, tracker=tracker)
    assert waits == [0.1, 0.2, 0.4, 0.8, 1.6, 3.0, 3.0, 3.0]
    assert (store.inner.counts["events", ""], tracker.has_confirmed) == (1, True)


def test_what_is_no_event_is_set_aside_as_it_was_and_the_rest_is_counted():
    tracker = Tracker()
    store, batch = (
        MemoryStore(),
        [
            Message(make_message(1)),
            Message(b"\xff\xff", offset=41),
            Message(make_message(2, number=2)),
        ],
    )
    [letter] = process_batch(batch, store, tracker=tracker)
    assert (letter.message.key, letter.message.value) == (b"key", b"\xff\xff")
    assert letter.headers == [
        ("ce_id", b"1"),
        ("reason", b"the value is not a PatientEvent"),
        ("original_topic", b"patient"),
        ("original_partition", b"3"),
        ("original_offset", b"41"),
    ]
    assert store.counts["events", ""] == 2
    assert tracker.has_confirmed


def test_only_the_event_that_the_database_refuses_is_set_aside():
    tracker = Tracker()
    store = FailingStore()
    batch = [Message(make_message(number, number=number), offset=number) for number in range(1, 30)]
    [letter] = process_batch(batch, store, tracker=tracker)
    assert (letter.message.offset, letter.reason) == (13, "the database refuses its values")
    assert store.inner.counts["events", ""] == 28
    assert tracker.has_confirmed


def test_a_message_that_cannot_be_set_aside_is_not_confirmed():
    tracker = Tracker()

    async def closed(letter):
        raise ConnectionError

    batch = [Message(make_message(1)), Message(b"\xff")]
    with pytest.raises(CannotGoOn):
        process_batch(batch, post=closed, tracker=tracker)
    assert not tracker.has_confirmed


def test_a_dead_letter_is_tried_again():
    tracker = Tracker()
    letters, refusals = [], [ConnectionError(), TimeoutError()]

    async def post(letter):
        if refusals:
            raise refusals.pop()
        letters.append(letter)

    batch = [Message(None)]
    process_batch(batch, post=post, tracker=tracker)
    assert [letter.reason for letter in letters] == ["the message has no value"]
    assert tracker.has_confirmed


def test_an_error_of_our_own_sets_aside_only_the_event_that_it_is_about(monkeypatch):
    """Red when an unforeseen error ends the process, or sets the whole batch aside."""
    tracker = Tracker()

    class Faulty(FailingStore):
        def count(self, events, updates=()):
            if any(event.event_id == 7 for event in events):
                raise ZeroDivisionError("Jane Q. Public")
            return super().count(events, updates)

    store, batch = (
        Faulty(),
        [
            Message(make_message(number, number=20 + number), offset=number)
            for number in range(1, 30)
        ],
    )
    [letter] = process_batch(batch, store, tracker=tracker)
    assert (letter.message.offset, letter.reason) == (7, "handler fault: ZeroDivisionError")
    assert store.inner.counts["events", ""] == 28
    assert tracker.has_confirmed


def test_an_error_of_our_own_in_decoding_sets_aside_that_message(monkeypatch):
    def faulty(value):
        if value == b"fault":
            raise KeyError("Jane")
        return decode(value)

    monkeypatch.setattr("analytics_stream.batch_processor.decode", faulty)
    store = MemoryStore()
    [letter] = process_batch(
        [Message(make_message(1)), Message(b"fault"), Message(make_message(2, number=2))], store
    )
    assert (letter.reason, store.counts["events", ""]) == ("handler fault: KeyError", 2)


@pytest.mark.parametrize("error", [MemoryError(), OffsetsLost()])
def test_an_error_that_any_event_would_meet_sets_nothing_aside(error):
    tracker = Tracker()
    batch, letters = [Message(make_message(1))], []
    with pytest.raises(type(error)):
        letters += process_batch(batch, FailingStore(error), tracker=tracker)
    assert (tracker.has_confirmed, letters) == (False, [])


def test_a_batch_that_comes_during_the_shutdown_is_left_alone():
    """Red when an executor that was shut down counts as a fault of the event."""
    tracker = Tracker()
    batch, executor = [Message(make_message(1))], ThreadPoolExecutor(1)
    executor.shutdown()
    processor = BatchProcessor(MemoryStore(), None, tracker, Progress(), executor)
    with pytest.raises(RuntimeError):
        asyncio.run(processor.process(batch))
    assert not tracker.has_confirmed


def test_letters_are_sent_together():
    """Red when each letter waits for the one before: a thousand of them then take minutes."""
    tracker = Tracker()
    in_flight, most = set(), 0

    async def post(letter):
        nonlocal most
        in_flight.add(letter.message.offset)
        most = max(most, len(in_flight))
        await asyncio.sleep(0.01)
        assert not tracker.has_confirmed
        in_flight.discard(letter.message.offset)

    batch = [Message(b"\xff", offset=number) for number in range(40)]
    process_batch(batch, post=post, tracker=tracker)
    assert most == 40
    assert tracker.has_confirmed


def test_the_offsets_are_stored_with_the_counts():
    store = MemoryStore()
    process_batch(
        [
            Message(make_message(1), offset=8, partition=2),
            Message(make_message(2, number=2), offset=5),
        ],
        store,
    )
    stored = [(update.topic, update.partition, update.next_offset) for update in store.updates]
    assert stored == [("patient", 2, 9), ("patient", 3, 6)]


def test_the_offsets_are_stored_only_when_the_broker_has_the_letters():
    """Red when a kill between counting and setting aside would lose the letter."""
    store = MemoryStore()

    async def post(letter):
        assert store.updates == []

    process_batch(
        [Message(make_message(1), offset=8), Message(b"\xff", offset=9)], store, post=post
    )
    assert [update.next_offset for update in store.updates] == [10]


def test_a_letter_about_a_message_without_headers_has_ours_only():
    [letter] = process_batch([Message(None, headers=None)])
    assert [name for name, _ in letter.headers] == [
        "reason",
        "original_topic",
        "original_partition",
        "original_offset",
    ]
