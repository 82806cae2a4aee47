"""P4: a topic that lost its events gets the whole log again, each patient's in order."""

import signal
from contextlib import ExitStack

import pytest
from confluent_kafka.admin import AdminClient
from django.db import connection

from embedded.apache import apache_kafka
from portal.events import leases, topic_loss
from portal.events.broker import KafkaBroker
from portal.events.loop import EventsLoop
from portal.events.models import TopicEnd, TopicRefill
from portal.events.producer import KafkaSender
from portal.events.services import deliver_waiting
from portal.events.topics import create_topics
from portal.patients.models import EventOutbox, PatientEvent
from portal.relay_loops import LeaseLost, Round
from tests.portal.events.conftest import change, new_patient
from tests.portal.events.relays import running_relay
from tests.topic import Topic
from tests.waits import wait_for

pytestmark = pytest.mark.django_db


@pytest.fixture
def topic(forgetful, settings):
    return Topic(forgetful.running.address, settings.KAFKA_TOPIC_PATIENT)


@pytest.fixture
def loop(topic):
    loop = EventsLoop()
    yield loop
    loop.close()


def run_until_idle(loop, fence):
    """Runs rounds until the loop has nothing to do."""
    while loop.step(fence) is not Round.IDLE:
        pass


def new_history() -> dict[str, list[int]]:
    """Makes patients with three versions each; returns what the topic must have of them."""
    patients = [new_patient(family_name=f"Example{n}") for n in range(12)]
    for city in ("Leeds", "York"):
        for patient in patients:
            change(patient, city=city)
    return {str(patient.pk): [1, 2, 3] for patient in patients}


def test_an_emptied_topic_is_noticed_while_nothing_waits(loop, fence, forgetful, topic):
    history = new_history()
    run_until_idle(loop, fence)
    forgetful.restart()
    again = EventsLoop()
    run_until_idle(again, fence)
    again.close()
    assert topic.versions(36) == history


def test_the_first_acknowledgement_that_is_too_low_shows_the_loss(fence, forgetful, topic):
    history = new_history()
    sender = KafkaSender()
    deliver_waiting(sender, fence=fence)
    forgetful.restart()
    sender.close()
    patient = new_patient(family_name="Late")
    deliver_waiting(sender, fence=fence)
    assert TopicRefill.objects.exists(), "the first event of the new topic shows it"
    loop = EventsLoop(sender)
    run_until_idle(loop, fence)
    loop.close()
    assert topic.versions(38) == {**history, str(patient.pk): [1]}


def test_nothing_is_sent_before_the_whole_log_waits_again(
    loop, fence, forgetful, topic, monkeypatch
):
    monkeypatch.setattr(topic_loss, "REFILL_STEP", 10)
    new_history()
    run_until_idle(loop, fence)
    TopicEnd.objects.update(next_offset=1_000_000)
    assert loop._has_lost_events(fence)
    for waiting in (10, 20, 30, 36):
        assert loop.step(fence) is Round.MORE
        assert EventOutbox.objects.count() == waiting
    run_until_idle(loop, fence)
    assert not EventOutbox.objects.exists()
    assert not TopicRefill.objects.exists()


def test_the_next_leader_goes_on_where_a_killed_one_stopped(
    loop, fence, forgetful, topic, monkeypatch
):
    monkeypatch.setattr(topic_loss, "REFILL_STEP", 10)
    history = new_history()
    run_until_idle(loop, fence)
    forgetful.restart()
    first = EventsLoop()
    first.step(fence)
    first.step(fence)
    first.close()
    assert EventOutbox.objects.count() == 10
    with connection.cursor() as cursor:
        cursor.execute("UPDATE events_relaylease SET expires_at = now()")
    newer = leases.acquire_lease("the next one", seconds=600).fence
    second = EventsLoop()
    with pytest.raises(LeaseLost):
        second.step(fence)
    run_until_idle(second, newer)
    second.close()
    assert topic.versions(36) == history


def test_events_that_come_meanwhile_keep_their_place(loop, fence, forgetful, topic, monkeypatch):
    monkeypatch.setattr(topic_loss, "REFILL_STEP", 10)
    history = new_history()
    run_until_idle(loop, fence)
    forgetful.restart()
    loop.close()
    loop.step(fence)
    loop.step(fence)
    for patient_id in history:
        change(PatientEvent.objects.filter(pgh_obj_id=patient_id).first().pgh_obj, city="Hull")
    run_until_idle(loop, fence)
    assert topic.versions(48) == {patient_id: [1, 2, 3, 4] for patient_id in history}


def test_a_topic_that_is_whole_is_sent_nothing_twice(loop, fence, topic):
    new_history()
    run_until_idle(loop, fence)
    for _ in range(3):
        another = EventsLoop()
        run_until_idle(another, fence)
        another.close()
    new_patient(family_name="Late")
    run_until_idle(loop, fence)
    assert len(topic.records(37)) == 37


def test_an_unknown_topic_that_is_empty_gets_the_whole_log(loop, fence, topic):
    history = new_history()
    EventOutbox.objects.all().delete()
    run_until_idle(loop, fence)
    assert topic.versions(36) == history


def test_an_unknown_topic_that_is_not_empty_gets_what_waits(loop, fence, topic):
    history = new_history()
    run_until_idle(loop, fence)
    TopicEnd.objects.all().delete()
    run_until_idle(EventsLoop(), fence)
    assert len(topic.records(36)) == 36
    assert topic.versions(36) == history


def test_only_the_leader_may_begin(loop, fence, topic):
    with pytest.raises(LeaseLost):
        topic_loss.detect_loss({0: 0}, fence=fence - 1)
    assert not TopicRefill.objects.exists()


def test_the_ends_are_those_of_the_broker(loop, fence, topic):
    new_history()
    run_until_idle(loop, fence)
    broker = KafkaBroker()
    known = dict(TopicEnd.objects.values_list("partition", "next_offset"))
    assert {n: end for n, end in broker.end_offsets().items() if end} == {
        n: end for n, end in known.items() if end
    }
    broker.close()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("number", [signal.SIGKILL, None], ids=["killed relay", "running relay"])
def test_a_real_relay_fills_the_topic_of_a_restarted_broker(forgetful, topic, tmp_path, number):
    history = new_history()
    with ExitStack() as relays:
        first = relays.enter_context(running_relay(tmp_path))
        wait_for(lambda: not EventOutbox.objects.exists())
        if number:
            first.signal(number)
        forgetful.restart()
        if number:
            first = relays.enter_context(running_relay(tmp_path))
        first.wait_until_logged("topic_emptied")
        for patient_id in history:
            change(PatientEvent.objects.filter(pgh_obj_id=patient_id).first().pgh_obj, city="Hull")
        assert topic.versions(48) == {patient_id: [1, 2, 3, 4] for patient_id in history}
        wait_for(lambda: not EventOutbox.objects.exists())


@pytest.mark.kafka
def test_on_a_real_kafka_a_topic_that_was_made_anew_is_filled(tmp_path, settings, fence):
    with apache_kafka(tmp_path) as broker:
        settings.KAFKA_BOOTSTRAP_SERVERS, settings.KAFKA_API_VERSION = [broker.address], None
        create_topics()
        history = new_history()
        loop = EventsLoop()
        run_until_idle(loop, fence)
        loop.close()
        admin = AdminClient({"bootstrap.servers": broker.address})
        admin.delete_topics([settings.KAFKA_TOPIC_PATIENT])[settings.KAFKA_TOPIC_PATIENT].result(30)
        wait_for(lambda: settings.KAFKA_TOPIC_PATIENT not in admin.list_topics(timeout=20).topics)
        again = EventsLoop()
        assert again.step(fence) is Round.MORE, "no topic is a topic that ends at 0"
        create_topics()
        wait_for(lambda: settings.KAFKA_TOPIC_PATIENT in admin.list_topics(timeout=20).topics)
        run_until_idle(again, fence)
        again.close()
        assert Topic(broker.address, settings.KAFKA_TOPIC_PATIENT).versions(36) == history
