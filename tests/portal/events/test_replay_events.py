"""Sent events go back into the outbox: all, a patient's, or those since a time."""

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from portal.events import selectors
from portal.events.selectors import relay_state
from portal.patients.models import EventOutbox, PatientEvent
from tests.portal.events.conftest import change, new_patient

pytestmark = pytest.mark.django_db


@pytest.fixture
def patients():
    """Two patients with two events each, all delivered."""
    patients = [new_patient(family_name=f"Example{n}") for n in range(2)]
    for patient in patients:
        change(patient, city="Leeds")
    EventOutbox.objects.all().delete()
    return patients


def waiting():
    return set(EventOutbox.objects.values_list("event_id", flat=True))


def events_of(*patients):
    return set(
        PatientEvent.objects.filter(
            pgh_obj_id__in=[patient.pk for patient in patients]
        ).values_list("pk", flat=True)
    )


def test_all_puts_the_whole_log_back(patients, capsys):
    call_command("replay_events", "--all")
    assert waiting() == events_of(*patients)
    assert capsys.readouterr().out == "4 event(s) put back into the outbox.\n"


def test_replaying_twice_queues_each_event_once(patients, capsys):
    call_command("replay_events", "--all")
    call_command("replay_events", "--all")
    assert len(waiting()) == 4
    assert "0 event(s)" in capsys.readouterr().out


def test_a_patient_can_be_replayed_alone(patients):
    call_command("replay_events", patient=patients[1].pk)
    assert waiting() == events_of(patients[1])


@pytest.mark.django_db(transaction=True)
def test_since_takes_what_was_written_at_or_after_the_time():
    early, late = new_patient(family_name="Early"), new_patient(family_name="Late")
    EventOutbox.objects.all().delete()
    moment = PatientEvent.objects.get(pgh_obj_id=late.pk).pgh_created_at
    call_command("replay_events", "--since", moment.isoformat())
    assert waiting() == events_of(late)
    call_command("replay_events", "--since", f"{timezone.localdate(moment).replace(year=2020)}")
    assert waiting() == events_of(early, late)


@pytest.mark.parametrize(
    "wrong", [[], ["--all", "--since", "2026-04-05"], ["--since", "yesterday"], ["--patient", "7"]]
)
def test_an_unclear_choice_is_refused(wrong):
    with pytest.raises(CommandError):
        call_command("replay_events", *wrong)


def test_the_outbox_is_measured(patients):
    assert (relay_state().waiting, relay_state().oldest_seconds) == (0, None)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO patients_eventoutbox SELECT min(pgh_id) FROM patients_patientevent"
        )
    assert relay_state().waiting == 1
    assert relay_state().oldest_seconds >= 0


def test_many_that_wait_are_an_upper_limit_and_few_are_exact(db, monkeypatch):
    monkeypatch.setattr(selectors, "EXACT_COUNT_LIMIT", 5)
    EventOutbox.objects.bulk_create(EventOutbox(event_id=n) for n in (3, 4, 5, 9, 10))
    assert relay_state().waiting == 5
    EventOutbox.objects.create(event_id=12)
    assert relay_state().waiting == 10, "the ids from 3 to 12"
    EventOutbox.objects.filter(event_id=3).delete()
    assert relay_state().waiting == 5
