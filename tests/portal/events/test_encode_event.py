"""The fields that a consumer reads of a change: the contract of protos/patient/events/v1."""

import pghistory
import pytest
from django.contrib.auth import get_user_model
from django.db import connection

from portal.events.encoding import postal_area
from portal.events.services import encode_events
from portal.patients import services
from portal.patients.models import Patient, PatientEvent
from protos.patient.events.v1.patient_event_pb2 import PatientEvent as Contract
from tests.portal.events.conftest import change, new_patient

pytestmark = pytest.mark.django_db


def messages_of(patient):
    ids = list(
        PatientEvent.objects.filter(pgh_obj_id=patient.pk)
        .order_by("pgh_id")
        .values_list("pk", flat=True)
    )
    messages, broken = encode_events(ids)
    assert broken == []
    return messages


def events_of(patient):
    return [Contract.FromString(message.value) for message in messages_of(patient)]


def test_a_registration_carries_the_whole_state():
    user = get_user_model().objects.create_user("desk@example.org")
    details = {
        "family_name": "Müller",
        "given_name": "Zoë",
        "prefix": "Dr",
        "email": "zoe@example.org",
        "sex": "female",
        "date_of_birth": "1980-02-29",
        "city": "Boston",
        "region": "MA",
        "postal_code": "02139-1234",
        "country": "US",
        "registered_on": "2026-04-05",
    }
    patient = services.register_patient(details, by=user, source="api")
    [event] = events_of(patient)
    assert (event.patient_id, event.name, event.email) == (
        str(patient.pk),
        "Dr Zoë Müller",
        "zoe@example.org",
    )
    assert (event.event_type, event.version, event.status) == ("PATIENT_CREATED", 1, "active")
    assert (event.sex, event.birth_year, event.city, event.region) == (
        "female",
        1980,
        "Boston",
        "MA",
    )
    assert (event.postal_area, event.country, event.registered_on) == ("021", "US", "2026-04-05")
    assert (event.source, event.registered_through, event.actor_id) == ("api", "api", str(user.pk))
    assert list(event.changed_fields) == []
    logged = PatientEvent.objects.get(pgh_obj_id=patient.pk)
    assert event.event_id == logged.pk
    assert event.occurred_at.ToDatetime(logged.pgh_created_at.tzinfo) == logged.pgh_created_at


def test_an_update_names_the_fields_that_differ(patient):
    change(patient, city="Leeds", email="new@example.org")
    event = events_of(patient)[1]
    assert (event.event_type, event.version, event.source) == ("PATIENT_UPDATED", 2, "api")
    assert list(event.changed_fields) == ["city", "email"]
    assert event.registered_through == "portal"


def test_each_update_is_compared_with_the_version_just_before(patient):
    for city in ("Leeds", "York", "Leeds"):
        change(patient, city=city)
    change(patient, region="Yorkshire")
    assert [list(event.changed_fields) for event in events_of(patient)] == [
        [],
        ["city"],
        ["city"],
        ["city"],
        ["region"],
    ]
    last = PatientEvent.objects.filter(pgh_obj_id=patient.pk).latest("pgh_id")
    [message], _ = encode_events([last.pk])
    assert list(Contract.FromString(message.value).changed_fields) == ["region"]


@pytest.mark.django_db(transaction=True)
def test_changed_identifiers_are_named_where_no_column_differs():
    patient = new_patient()
    change(patient, identifiers=[{"system": "ssn", "value": "999112222"}])
    assert list(events_of(patient)[1].changed_fields) == ["identifiers"]


def test_archiving_and_restoring_have_types_of_their_own(patient):
    services.archive_patient(patient.pk, by=None, source="portal")
    services.restore_patient(patient.pk, by=None, source="portal")
    survivor = new_patient()
    Patient.objects.filter(pk=patient.pk).update(status="merged", merged_into=survivor)
    Patient.objects.filter(pk=patient.pk).update(status="active", merged_into=None)
    events = events_of(patient)
    assert [event.event_type for event in events] == [
        "PATIENT_CREATED",
        "PATIENT_ARCHIVED",
        "PATIENT_RESTORED",
        "PATIENT_MERGED",
        "PATIENT_UNMERGED",
    ]
    assert [event.status for event in events] == [
        "active",
        "archived",
        "active",
        "merged",
        "active",
    ]
    assert [event.merged_into for event in events] == ["", "", "", str(survivor.pk), ""]
    assert [*events[3].changed_fields] == ["merged_into", "status"]


def test_a_deletion_is_one_version_later_than_the_last_state(patient):
    change(patient, city="Leeds")
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM billing_billingaccount WHERE patient_id = %s", [patient.pk])
        cursor.execute("DELETE FROM patients_patient WHERE id = %s", [patient.pk])
    event = events_of(patient)[-1]
    assert (event.event_type, event.version, event.status) == ("PATIENT_DELETED", 3, "deleted")


@pytest.mark.django_db(transaction=True)
def test_a_change_by_sql_has_no_channel_and_no_actor(patient):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE patients_patient SET city = 'York' WHERE id = %s", [patient.pk])
    event = events_of(patient)[1]
    assert (event.source, event.actor_id, event.city) == ("", "", "York")


def test_contact_details_can_be_left_out(patient, settings):
    settings.EVENTS_INCLUDE_CONTACT = False
    [message] = messages_of(patient)
    event = Contract.FromString(message.value)
    assert (event.name, event.email) == ("", "")
    assert b"Jane" not in message.value
    assert b"example.org" not in message.value


def test_key_and_headers_follow_cloudevents_and_name_nobody():
    request_id = "0af7651916cd43dd8448eb211c80319c"
    with pghistory.context(request_id=request_id):
        patient = new_patient(postal_code="SW1A 1AA")
    [message] = messages_of(patient)
    headers = {name: value.decode() for name, value in message.headers}
    assert message.key.decode() == str(patient.pk)
    assert headers["ce_specversion"] == "1.0"
    assert headers["ce_id"] == str(message.event_id)
    assert headers["ce_type"] == "patient.events.v1.created"
    assert headers["ce_source"] == "/patient-portal"
    assert headers["ce_subject"] == str(patient.pk)
    assert headers["ce_time"].endswith("Z")
    assert headers["content-type"] == "application/protobuf"
    assert headers["traceparent"] == f"00-{request_id}-{message.event_id:016x}-01"
    assert not any(
        word in " ".join(headers.values()) for word in ("Jane", "Example", "example.org", "SW1")
    )


def test_the_same_row_always_gives_the_same_message(patient):
    assert messages_of(patient) == messages_of(patient)


@pytest.mark.parametrize(
    ("postal_code", "country", "area"),
    [
        ("02139-1234", "US", "021"),
        ("SW1A 1AA", "GB", "SW1A"),
        ("m1 1ae", "GB", "M1"),
        ("EC1A1BB", "GB", "EC1A"),
        ("SW1A", "GB", "SW1A"),
        ("K1A 0B1", "CA", "K1A"),
        ("10115", "DE", "101"),
        ("", "US", ""),
        ("1", "", "1"),
    ],
)
def test_the_postal_area_is_the_leading_part(postal_code, country, area):
    assert postal_area(postal_code, country) == area
