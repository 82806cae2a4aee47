"""The relay stays within the broker's window of its reader: nothing is dropped unread."""

from contextlib import contextmanager
from itertools import count

import pytest
from confluent_kafka import Consumer, TopicPartition

from portal.events.broker import KafkaBroker
from portal.events.deliveries import LARGEST_MESSAGE
from portal.events.encoding import Message
from portal.events.loop import EventsLoop
from portal.events.pacing import Window
from portal.events.services import deliver_waiting, fit_messages
from portal.patients import services
from portal.patients.models import EventOutbox
from portal.relay_loops import Round
from tests.topic import Topic
from tests.waits import wait_for

WINDOW = 2_100_000


def test_what_lies_unread_takes_up_room_until_it_is_read():
    window = Window(100)
    window.reset({0: 0, 1: 0}, {})
    for offset in range(3):
        window.add(0, offset, 20)
    window.add(1, 0, 30)
    assert window.room == 40
    window.mark_read({0: 2})
    assert window.room == 70
    window.mark_read({0: 3, 1: 1})
    assert window.room == 100


def test_what_is_unread_at_first_counts_as_a_full_window():
    window = Window(100)
    window.reset({0: 7, 1: 0}, {0: 6})
    assert window.room == 0
    window.mark_read({0: 7})
    assert window.room == 100
    window.reset({0: 7, 1: 0}, {0: 7})
    assert window.room == 100


def test_a_position_in_an_older_topic_is_no_position():
    window = Window(100)
    window.reset({0: 7}, {0: 900})
    assert window.room == 0
    window.mark_read({0: 900})
    assert window.room == 0
    window.mark_read({0: 7})
    assert window.room == 100


def test_it_knows_the_topic_by_its_ends():
    window = Window(100)
    window.reset({0: 7, 1: 0}, {0: 7})
    window.add(0, 7, 20)
    assert window.still_matches({0: 8, 1: 0}, {0: 7})
    assert not window.still_matches({0: 3, 1: 0}, {0: 7}), "made anew"
    assert not window.still_matches({0: 9, 1: 0}, {0: 7}), "somebody else sent"
    assert window.follows(0, 8)
    assert not window.follows(0, 2)


def test_a_reader_that_begins_again_has_read_nothing():
    window = Window(100)
    window.reset({0: 7}, {0: 7})
    assert not window.still_matches({0: 7}, {0: 0})
    window.reset({0: 7}, {0: 0})
    assert window.room == 0


def test_only_what_fits_is_taken_and_the_broker_gets_what_is_too_large():
    small = Message(1, "p", b"p", b"x" * 100, [])
    huge = Message(2, "q", b"q", b"x" * 9_000_000, [])
    assert fit_messages([small] * 5, 2 * small.size) == [small] * 2
    assert fit_messages([huge, small], LARGEST_MESSAGE) == [huge]


@pytest.fixture
def slow_reader(topic):
    with reading(topic) as reader:
        yield reader


@contextmanager
def reading(topic):
    reader = Reader(topic)
    yield reader
    reader.consumer.close()


class Reader:
    """Reads and commits on request as analytics does, and remembers each offset that it read."""

    def __init__(self, topic):
        self.topic, self.seen = topic, {}
        settings = {"enable.auto.commit": False, "auto.offset.reset": "earliest", "log_level": 0}
        self.consumer = Consumer(
            {"bootstrap.servers": topic.address, "group.id": "analytics", **settings}
        )
        self.consumer.assign([TopicPartition(topic.name, number, 0) for number in range(4)])

    def read(self, count: int) -> int:
        """Reads up to so many events and commits; returns how many came."""
        answers = self.consumer.consume(count, timeout=0.5)
        messages = [message for message in answers if not message.error()]
        for message in messages:
            self.seen.setdefault(message.partition(), []).append(message.offset())
        if messages:
            ends = [
                TopicPartition(self.topic.name, n, offsets[-1] + 1)
                for n, offsets in self.seen.items()
            ]
            self.consumer.commit(offsets=ends, asynchronous=False)
        return len(messages)

    def read_some(self, count: int) -> None:
        """Reads until an event came, but not more than so many."""
        wait_for(lambda: self.read(count))

    def read_all(self, count: int) -> None:
        """Reads until so many events came in all."""
        while self.count < count:
            self.read_some(1_000)

    @property
    def count(self) -> int:
        return sum(map(len, self.seen.values()))

    def low_watermarks(self) -> list[int]:
        places = [TopicPartition(self.topic.name, number) for number in range(4)]
        return [self.consumer.get_watermark_offsets(place, timeout=20)[0] for place in places]


@pytest.fixture
def register(monkeypatch):
    """Registers so many thousand patients with events of 8 KB; a partition keeps some 600."""
    monkeypatch.setattr("portal.events.encoding.postal_area", lambda *_: "x" * 8_000)

    def thousands(number):
        for _ in range(number):
            patients = [{"family_name": f"Example{n}"} for n in range(1_000)]
            services.register_patients(patients, by=None, source="import")

    return thousands


@pytest.fixture
def loop(topic, settings):
    settings.KAFKA_WINDOW_BYTES = WINDOW
    loop = EventsLoop()
    yield loop
    loop.close()


def send_on(loop, fence) -> int:
    """Runs rounds until the loop waits for its reader or is done; returns how many events wait."""
    while loop.step(fence) is not Round.IDLE:
        pass
    return EventOutbox.objects.count()


@pytest.mark.django_db
def test_a_slow_reader_misses_nothing(topic, slow_reader, loop, fence, register):
    register(3)
    pauses = 0
    while send_on(loop, fence):
        pauses += 1
        slow_reader.read_some(400)
        for number, low in enumerate(slow_reader.low_watermarks()):
            assert low <= len(slow_reader.seen.get(number, []))
    slow_reader.read_all(3_000)
    assert pauses > 1, "the window was never full"
    assert all(offsets == list(range(len(offsets))) for offsets in slow_reader.seen.values())


@pytest.mark.django_db
def test_while_the_reader_is_away_the_outbox_waits(topic, slow_reader, loop, fence, register):
    register(2)
    waiting = send_on(loop, fence)
    assert waiting > 0
    assert loop.step(fence) is Round.IDLE
    assert EventOutbox.objects.count() == waiting
    assert max(slow_reader.low_watermarks()) == 0
    slow_reader.read_all(2_000 - waiting)
    assert send_on(loop, fence) < waiting


@pytest.mark.django_db
def test_a_new_leader_waits_until_what_lies_there_is_read(
    topic, slow_reader, loop, fence, register
):
    register(2)
    waiting = send_on(loop, fence)
    slow_reader.read_some(100)
    next_one = EventsLoop()
    assert send_on(next_one, fence) == waiting
    slow_reader.read_all(2_000 - waiting)
    assert send_on(next_one, fence) < waiting
    next_one.close()


@pytest.mark.django_db
@pytest.mark.parametrize("is_noticed", ["while nothing waits", "by an acknowledgement"])
def test_an_emptied_topic_is_paced_anew(forgetful, fence, register, settings, is_noticed):
    settings.KAFKA_WINDOW_BYTES = WINDOW
    register(1)
    loop, topic = (
        EventsLoop(clock=count(0, 10).__next__),
        Topic(forgetful.running.address, settings.KAFKA_TOPIC_PATIENT),
    )
    with reading(topic) as reader:
        while send_on(loop, fence):
            reader.read_some(200)
    forgetful.restart()
    loop._broker.close()
    if is_noticed == "by an acknowledgement":
        loop._sender.close()
        services.register_patients([{"family_name": "Late"}], by=None, source="import")
        deliver_waiting(loop._paced, fence=fence)
    with reading(topic) as reader:
        while send_on(loop, fence):
            reader.read_some(200)
        reader.read_all(1_000)
    loop.close()


@pytest.mark.django_db
def test_the_group_of_another_name_does_not_count(
    topic, slow_reader, loop, fence, register, settings
):
    register(2)
    waiting = send_on(loop, fence)
    settings.KAFKA_WINDOW_GROUP = "somebody else"
    slow_reader.read_all(2_000 - waiting)
    assert send_on(loop, fence) == waiting


@pytest.mark.django_db
def test_without_a_window_nothing_waits(topic, slow_reader, fence, register):
    register(3)
    loop = EventsLoop()
    assert send_on(loop, fence) == 0
    assert min(slow_reader.low_watermarks()) > 0, "and this broker has dropped events unread"
    loop.close()


@pytest.mark.django_db
def test_the_broker_answers_how_far_a_group_has_read(topic, slow_reader, fence, settings):
    services.register_patients(
        [{"family_name": f"Example{n}"} for n in range(40)], by=None, source="import"
    )
    loop, broker = EventsLoop(), KafkaBroker()
    send_on(loop, fence)
    assert broker.group_offsets("analytics") == {0: 0, 1: 0, 2: 0, 3: 0}
    slow_reader.read_all(40)
    assert broker.group_offsets("analytics") == broker.end_offsets()
    loop.close()
    broker.close()
