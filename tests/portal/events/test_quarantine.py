"""An event that cannot be sent is quarantined and shown; the others go on."""

from dataclasses import replace
from datetime import date

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.urls import reverse

from portal.events.deliveries import Refusal
from portal.events.encoding import encode
from portal.events.models import QuarantinedEvent
from portal.events.producer import KafkaSender
from portal.events.services import deliver_waiting, requeue_quarantined
from portal.patients.models import EventOutbox, PatientEvent
from tests.past_the_checks import write_past_the_checks
from tests.portal.events.conftest import change, new_patient

pytestmark = pytest.mark.django_db


@pytest.fixture
def sender(topic):
    sender = KafkaSender()
    yield sender
    sender.close()


@pytest.fixture
def unreadable(monkeypatch):
    """A patient whose events cannot be encoded until `mended` is set."""
    patient = new_patient(family_name="Unreadable")

    def encode_or_fail(row, previous, *, include_contact):
        if row.pgh_obj_id == str(patient.pk) and not patient.mended:
            raise ValueError
        return encode(row, previous, include_contact=include_contact)

    patient.mended = False
    monkeypatch.setattr("portal.events.services.encode", encode_or_fail)
    return patient


def test_the_others_go_on(topic, sender, fence, unreadable):
    others = [new_patient(family_name=f"Example{n}") for n in range(3)]
    assert deliver_waiting(sender, fence=fence) == 4
    assert set(topic.versions(3)) == {str(patient.pk) for patient in others}
    [event] = QuarantinedEvent.objects.all()
    assert (event.patient_id, event.reason) == (unreadable.pk, "ValueError")
    assert not EventOutbox.objects.exists()


def test_an_impossible_date_goes_as_one_that_is_not_known(topic, sender, fence):
    patient = new_patient(date_of_birth=date(1984, 3, 15))
    write_past_the_checks(patient, date_of_birth="19840-03-15", registered_on="infinity")
    correction = {"date_of_birth": date(1984, 3, 15), "registered_on": date(2026, 1, 2)}
    change(patient, **correction)
    deliver_waiting(sender, fence=fence)
    events = [record.event for record in topic.records(3)]
    assert [event.birth_year for event in events] == [1984, 0, 1984]
    assert [event.registered_on for event in events][1:] == ["", "2026-01-02"]
    assert sorted(events[2].changed_fields) == ["date_of_birth", "registered_on"]
    assert not QuarantinedEvent.objects.exists()


def test_an_event_of_an_impossible_date_leaves_the_quarantine(topic, sender, fence):
    patient = new_patient()
    write_past_the_checks(patient, registered_on="12026-11-20")
    EventOutbox.objects.all().delete()
    for event in PatientEvent.objects.all():
        QuarantinedEvent.objects.create(event_id=event.pk, reason="ValueError")
    requeue_quarantined(QuarantinedEvent.objects.values_list("pk", flat=True), by=None)
    deliver_waiting(sender, fence=fence)
    assert topic.versions(2) == {str(patient.pk): [1, 2]}
    assert not QuarantinedEvent.objects.exists()


def test_an_event_without_a_log_row_is_quarantined(topic, sender, fence):
    EventOutbox.objects.create(event_id=987_654)
    deliver_waiting(sender, fence=fence)
    assert QuarantinedEvent.objects.get().reason == "NotInTheLog"


def test_what_the_broker_refuses_for_good_is_quarantined(topic, sender, fence, patient):
    class TooLarge:
        def deliver(self, messages, *, before):
            delivery = sender.deliver(messages[1:], before=before)
            return replace(delivery, refusals=[Refusal(messages[0], "MessageSizeTooLargeError")])

    other = new_patient(family_name="Other")
    deliver_waiting(TooLarge(), fence=fence)
    assert QuarantinedEvent.objects.get().patient_id == patient.pk
    assert topic.versions(1) == {str(other.pk): [1]}


def test_a_message_over_kafkas_limit_is_refused_alone(topic, sender, fence, patient, monkeypatch):
    other = new_patient(family_name="Other")
    monkeypatch.setattr(
        "portal.events.encoding.postal_area", lambda code, _: "x" * 2_000_000 if code else ""
    )
    change(other, postal_code="")
    deliver_waiting(sender, fence=fence)
    assert set(QuarantinedEvent.objects.values_list("reason", flat=True)) == {
        "MessageSizeTooLargeError"
    }
    assert [record.event.version for record in topic.records(1)] == [2]


def test_sent_again_it_is_delivered_once_the_cause_is_mended(topic, sender, fence, unreadable):
    deliver_waiting(sender, fence=fence)
    unreadable.mended = True
    assert requeue_quarantined(QuarantinedEvent.objects.values_list("pk", flat=True), by=None) == 1
    assert not QuarantinedEvent.objects.exists()
    deliver_waiting(sender, fence=fence)
    assert topic.versions(1) == {str(unreadable.pk): [1]}


@pytest.fixture
def operator(client):
    """Signs in with these permissions and the right to open the admin."""

    def sign_in(*codenames):
        user = get_user_model().objects.create_user("operator@example.org", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
        client.force_login(user)
        return client

    return sign_in


def resend(client, event_id):
    data = {"action": "send_again", "_selected_action": [event_id]}
    return client.post(reverse("admin:events_quarantinedevent_changelist"), data)


def test_an_operator_sends_again_from_the_admin(operator):
    QuarantinedEvent.objects.create(event_id=7, reason="ValueError")
    client = operator("view_quarantinedevent", "resend_quarantinedevent")
    assert (
        "ValueError"
        in client.get(reverse("admin:events_quarantinedevent_changelist")).content.decode()
    )
    resend(client, 7)
    assert EventOutbox.objects.filter(event_id=7).exists()
    assert not QuarantinedEvent.objects.exists()


def test_looking_does_not_give_the_right_to_send_again(operator):
    QuarantinedEvent.objects.create(event_id=7, reason="ValueError")
    resend(operator("view_quarantinedevent"), 7)
    assert QuarantinedEvent.objects.exists()
