"""P2: every event reaches the topic at least once, a patient's in order, whatever fails."""

from collections.abc import Sequence

import pytest
from django.db import connection
from kafka.errors import KafkaError, KafkaTimeoutError

from portal.events import leases
from portal.events.deliveries import Delivery
from portal.events.encoding import Message
from portal.events.producer import KafkaSender
from portal.events.services import deliver_waiting, split_into_waves
from portal.patients import services
from portal.patients.models import EventOutbox
from portal.relay_loops import LeaseLost
from tests.portal.events.conftest import change, new_patient, stopped

pytestmark = pytest.mark.django_db


class FaultySender:
    """The real sender with a fault: it raises instead of the wave of that number, or after it."""

    def __init__(self, real: KafkaSender, *, before: int = -1, after: int = -1) -> None:
        self.real, self.before, self.after, self.wave = real, before, after, -1

    def deliver(self, messages: Sequence[Message], *, before: float) -> Delivery:
        self.wave += 1
        if self.wave == self.before:
            raise KafkaTimeoutError
        delivery = self.real.deliver(messages, before=before)
        if self.wave == self.after:
            raise KafkaTimeoutError
        return delivery


@pytest.fixture
def sender(topic):
    sender = KafkaSender()
    yield sender
    sender.close()


def waiting() -> int:
    return EventOutbox.objects.count()


def test_delivered_events_leave_the_outbox(topic, sender, fence):
    patients = [new_patient(family_name=f"Example{n}") for n in range(5)]
    assert deliver_waiting(sender, fence=fence) == 5
    assert waiting() == 0
    records = topic.records(5)
    assert {record.key for record in records} == {str(patient.pk) for patient in patients}
    assert all(record.key == record.event.patient_id for record in records)
    assert all(record.headers["ce_id"] == str(record.event.event_id) for record in records)


def test_nothing_waiting_is_no_work(sender, fence):
    assert deliver_waiting(sender, fence=fence) == 0


def test_no_more_than_the_limit_is_taken_and_the_oldest_first(topic, sender, fence, patient):
    for city in ("Leeds", "York", "Hull"):
        change(patient, city=city)
    assert deliver_waiting(sender, fence=fence, limit=2) == 2
    assert topic.versions(2) == {str(patient.pk): [1, 2]}
    assert waiting() == 2


def test_a_patients_events_come_in_version_order(topic, sender, fence):
    patients = [new_patient(family_name=f"Example{n}") for n in range(4)]
    for round_ in range(5):
        for patient in patients:
            change(patient, city=f"City{round_}")
    while deliver_waiting(sender, fence=fence, limit=7):
        pass
    assert topic.versions(24) == {str(patient.pk): [1, 2, 3, 4, 5, 6] for patient in patients}


def test_a_lost_acknowledgement_sends_again(topic, sender, fence, patient):
    with pytest.raises(KafkaError):
        deliver_waiting(FaultySender(sender, after=0), fence=fence)
    assert waiting() == 1
    assert deliver_waiting(sender, fence=fence) == 1
    assert [record.event.version for record in topic.records(2)] == [1, 1]
    assert waiting() == 0


def test_a_failed_delivery_is_not_overtaken_by_the_patients_next_event(
    topic, sender, fence, patient
):
    change(patient, city="Leeds")
    change(patient, city="York")
    with pytest.raises(KafkaError):
        deliver_waiting(FaultySender(sender, before=1), fence=fence)
    assert waiting() == 2, "the first version was acknowledged, the others were not sent"
    deliver_waiting(sender, fence=fence)
    assert [record.event.version for record in topic.records(3)] == [1, 2, 3]


def test_dying_between_the_acknowledgement_and_the_delete_sends_again(
    topic, sender, fence, patient, monkeypatch
):
    def die(*_, **__):
        raise SystemExit

    with monkeypatch.context() as planted:
        planted.setattr("portal.events.services.record_delivery", die)
        with pytest.raises(SystemExit):
            deliver_waiting(sender, fence=fence)
    assert waiting() == 1
    deliver_waiting(sender, fence=fence)
    assert [record.event.version for record in topic.records(2)] == [1, 1]


def test_a_relay_that_lost_the_lease_takes_nothing_out(topic, sender, fence, patient):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE events_relaylease SET expires_at = now()")
    newer = leases.acquire_lease("another relay").fence
    with pytest.raises(LeaseLost):
        deliver_waiting(sender, fence=fence)
    assert waiting() == 1
    assert deliver_waiting(sender, fence=newer) == 1


def test_a_wave_has_each_patient_once():
    messages = [
        Message(n, patient, patient.encode(), b"", []) for n, patient in enumerate("abacab")
    ]
    assert [[m.event_id for m in wave] for wave in split_into_waves(messages)] == [
        [0, 1, 3],
        [2, 5],
        [4],
    ]


def test_an_import_of_a_thousand_goes_out_in_one_batch(topic, sender, fence):
    patients = services.register_patients(
        [{"family_name": f"Example{n}"} for n in range(1_000)], by=None, source="import"
    )
    assert deliver_waiting(sender, fence=fence) == 1_000
    assert topic.versions(1_000) == {str(patient.pk): [1] for patient in patients}


def test_an_away_broker_keeps_everything_until_it_is_back(topic, sender, fence, patient, broker):
    with stopped(broker), pytest.raises(KafkaError):
        deliver_waiting(sender, fence=fence)
    assert waiting() == 1
    assert deliver_waiting(sender, fence=fence) == 1
    assert topic.versions(1) == {str(patient.pk): [1]}


def test_a_broker_that_stops_answering_has_acknowledged_nothing(
    topic, sender, fence, patient, broker
):
    deliver_waiting(sender, fence=fence)
    change(patient, city="Leeds")
    with stopped(broker), pytest.raises(KafkaError):
        deliver_waiting(sender, fence=fence)
    assert waiting() == 1, "put into the producer's buffer is not delivered"
    assert deliver_waiting(sender, fence=fence) == 1
    assert topic.versions(2) == {str(patient.pk): [1, 2]}


def test_an_unreachable_broker_is_an_error_within_seconds(topic, sender, fence, patient, settings):
    settings.KAFKA_BOOTSTRAP_SERVERS = ["127.0.0.1:1"]
    with pytest.raises(KafkaError):
        deliver_waiting(sender, fence=fence)
    assert waiting() == 1
