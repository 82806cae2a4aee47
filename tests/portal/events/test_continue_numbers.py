"""After a restore from a backup no MRN and no event number is given out a second time."""

import pytest
from django.db import connection
from kafka.errors import TopicAuthorizationFailedError

from portal.events.broker import KafkaBroker
from portal.events.last_events import TAIL
from portal.events.loop import EventsLoop
from portal.patients import number_series
from portal.patients.models import EventOutbox, NumberCheck, PatientEvent
from portal.patients.number_series import (
    MOST_LOST_EVENTS,
    SKIPPED_BLINDLY,
    continue_numbers,
    database_identity,
    ensure_numbers_continue,
    last_lost_event,
)
from tests.portal.events.conftest import change, new_patient

pytestmark = pytest.mark.django_db


def series() -> tuple[int, int]:
    """Returns the event number and the number of the MRN that were given out last."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT last_value FROM patients_patientevent_pgh_id_seq")
        [event] = cursor.fetchone()
        cursor.execute("SELECT last_value FROM patients_mrn_seq")
        return event, cursor.fetchone()[0]


def restore(event: int, mrn: int) -> None:
    """Sets both series back, as `pg_restore` does."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT setval('patients_patientevent_pgh_id_seq', %s)", [event])
        cursor.execute("SELECT setval('patients_mrn_seq', %s)", [mrn])


@pytest.fixture
def loop(topic):
    loop = EventsLoop()
    yield loop
    loop.close()


def run_until_idle(loop, fence):
    for _ in range(20):
        loop.step(fence)
        if not EventOutbox.objects.exists():
            return
    raise AssertionError("the outbox does not empty")


def test_the_relay_moves_both_series_past_what_the_topic_has(loop, topic, fence):
    new_patient(family_name="Kept")
    backup = series()
    lost = [new_patient(family_name=f"Lost{n}") for n in range(5)]
    for patient in lost:
        change(patient, city="Leeds")
    run_until_idle(loop, fence)
    last_event, last_mrn = series()
    restore(*backup)
    again = EventsLoop()
    again.step(fence)
    again.close()
    event, mrn = series()
    assert event == last_event
    assert mrn > last_mrn
    assert new_patient(family_name="Later").mrn not in {patient.mrn for patient in lost}
    assert PatientEvent.objects.latest("pgh_id").pk == last_event + 1


def test_where_nothing_was_restored_no_number_is_skipped(loop, topic, fence):
    for n in range(3):
        new_patient(family_name=f"Example{n}")
    before = series()
    run_until_idle(loop, fence)
    again = EventsLoop()
    again.step(fence)
    again.close()
    assert series() == before


def test_a_second_time_changes_nothing(fence):
    new_patient()
    event, _ = series()
    assert continue_numbers([event + 7], identity="a") > 7
    after = series()
    assert (continue_numbers([event + 7], identity="a"), series()) == (0, after)


def test_a_number_that_no_backup_explains_moves_nothing(fence):
    new_patient()
    event, _ = series()
    strange, farthest = event + MOST_LOST_EVENTS + 1, event + MOST_LOST_EVENTS
    assert last_lost_event([1, strange]) == (0, 0)
    assert last_lost_event([1, farthest, strange]) == (farthest, MOST_LOST_EVENTS)


def test_events_that_came_again_hide_no_later_number(loop, topic, fence):
    first = new_patient(family_name="First")
    others = [new_patient(family_name=f"Example{n}") for n in range(20)]
    run_until_idle(loop, fence)
    for _ in range(5):
        EventOutbox.objects.bulk_create(
            EventOutbox(event_id=event.pk)
            for event in PatientEvent.objects.filter(pgh_obj_id__in=[first.pk, others[0].pk])
        )
        run_until_idle(loop, fence)
    broker = KafkaBroker()
    assert max(broker.last_event_ids()) == PatientEvent.objects.latest("pgh_id").pk
    broker.close()
    assert TAIL > 100


def test_an_empty_topic_has_no_number(topic):
    broker = KafkaBroker()
    assert broker.last_event_ids() == []
    broker.close()


def test_a_topic_that_cannot_be_read_stops_no_event(topic, fence, monkeypatch):
    def refuse(topic):
        raise TopicAuthorizationFailedError

    monkeypatch.setattr("portal.events.broker.read_last_event_ids", refuse)
    patient = new_patient()
    loop = EventsLoop()
    run_until_idle(loop, fence)
    loop.step(fence)
    loop.close()
    assert topic.versions(1) == {str(patient.pk): [1]}


@pytest.fixture
def restored(loop, topic, fence):
    """A database that was restored: patients who were registered after the backup are lost.

    No process has compared its numbers yet. Returns the MRNs that were given out.
    """
    new_patient(family_name="Kept")
    backup = series()
    lost = {new_patient(family_name=f"Lost{n}").mrn for n in range(5)}
    run_until_idle(loop, fence)
    last_event, _ = series()
    restore(*backup)
    NumberCheck.objects.update(identity="that of the backup")
    number_series._compared_here.clear()
    yield lost, last_event
    number_series._compared_here.clear()


def test_the_first_registration_need_not_wait_for_the_relay(restored):
    """Red when only the relay looks: the first patients get MRNs of others."""
    lost, last_event = restored
    assert new_patient(family_name="Later").mrn not in lost
    assert PatientEvent.objects.latest("pgh_id").pk == last_event + 1
    assert NumberCheck.objects.get().identity == database_identity()


def test_a_change_takes_no_event_number_of_another(restored):
    """Red when only registrations look: consumers take the event for one that they know."""
    _, last_event = restored
    change(PatientEvent.objects.get(family_name="Kept").pgh_obj, city="Leeds")
    assert PatientEvent.objects.latest("pgh_id").pk == last_event + 1


def test_while_the_topic_is_away_numbers_are_skipped_once(restored, settings):
    lost, _ = restored
    settings.KAFKA_BOOTSTRAP_SERVERS = ["127.0.0.1:1"]
    _, before = series()
    assert new_patient(family_name="Later").mrn not in lost
    assert series()[1] == before + SKIPPED_BLINDLY + 1
    number_series._compared_here.clear()  # Another process.
    new_patient(family_name="Next")
    assert series()[1] == before + SKIPPED_BLINDLY + 2


def test_the_relay_compares_after_numbers_were_skipped_blindly(restored, topic, settings, fence):
    _, last_event = restored
    address, settings.KAFKA_BOOTSTRAP_SERVERS = settings.KAFKA_BOOTSTRAP_SERVERS, ["127.0.0.1:1"]
    ensure_numbers_continue()
    settings.KAFKA_BOOTSTRAP_SERVERS = address
    restore(last_event - 2, 1_000_000)  # As if more had been lost than were skipped.
    again = EventsLoop()
    again.step(fence)
    again.close()
    assert series()[0] >= last_event


def test_a_relay_that_leads_on_notices_another_database(loop, topic, fence, monkeypatch):
    """Red when it looks by its fence alone: that of a backup may come again."""
    new_patient(family_name="Kept")
    backup = series()
    new_patient(family_name="Lost")
    run_until_idle(loop, fence)
    last_event, _ = series()
    restore(*backup)
    monkeypatch.setattr("portal.events.loop.database_identity", lambda: "another database")
    loop._check_at = 0
    loop.step(fence)
    assert series()[0] == last_event


def test_a_new_database_without_a_topic_skips_nothing(settings, monkeypatch):
    settings.KAFKA_BOOTSTRAP_SERVERS = ["127.0.0.1:1"]
    monkeypatch.setattr(number_series, "_compared_here", set())
    with connection.cursor() as cursor:
        cursor.execute("SELECT setval('patients_patientevent_pgh_id_seq', 1, false)")
        cursor.execute("SELECT setval('patients_mrn_seq', 1000000, false)")
    ensure_numbers_continue()
    assert series() == (1, 1_000_000)
    assert not NumberCheck.objects.exists()
