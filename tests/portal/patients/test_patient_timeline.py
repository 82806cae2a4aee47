"""The timeline says in words what happened to a patient, newest first."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone

from portal.billing.models import BillingAccount
from portal.patients.models import PatientEvent
from portal.patients.services import (
    archive_patient,
    change_patient,
    register_patient,
    restore_patient,
)

pytestmark = pytest.mark.django_db
# Identifiers raise the version once in a transaction, which has one time: these tests commit.
committing = pytest.mark.django_db(transaction=True)


@pytest.fixture
def patient(front_desk):
    made = register_patient(
        {"family_name": "Example"}, by=front_desk, source="portal", override_reason="twins"
    )
    BillingAccount.objects.update(next_attempt_at=None)
    return made


def events_of(answer):
    events = []
    for _, events_of_day in answer.context["days"]:
        events += events_of_day
    return events


def lines_of(answer):
    return [(event.title, list(event.details)) for event in events_of(answer)]


@committing
def test_each_change_is_one_line_in_words(desk, front_desk, patient):
    change_patient(patient.pk, {"city": "Leeds", "phone": "555 0100"}, by=front_desk, source="api")
    identifiers = [{"system": "passport", "value": "P1"}]
    change_patient(
        patient.pk, {"city": "York", "identifiers": identifiers}, by=None, source="import"
    )
    archive_patient(patient.pk, by=front_desk, source="portal")
    restore_patient(patient.pk, by=front_desk, source="portal")
    BillingAccount.objects.update(next_attempt_at=None)
    answer = desk.get(f"/patients/{patient.pk}/timeline/")
    assert lines_of(answer) == [
        ("Restored", ["Status: Archived → Active"]),
        ("Archived", ["Status: Active → Archived"]),
        ("Changed city and passport", ["City: Leeds → York", "Passport added: P1"]),
        ("Changed phone and city", ["Phone added: 555 0100", "City added: Leeds"]),
        ("Registered", ["Registered although a similar person was here: twins"]),
    ]
    assert [(event.by, event.channel) for event in events_of(answer)][2:4] == [
        ("the system", "Import"),
        (front_desk.email, "API"),
    ]


def test_many_fields_are_counted_in_the_title(desk, patient):
    many = dict.fromkeys(("city", "region", "address_line1", "address_line2", "race"), "x")
    change_patient(patient.pk, many, by=None, source="api")
    title, details = lines_of(desk.get(f"/patients/{patient.pk}/timeline/"))[0]
    assert title == "Changed address line 1, address line 2, city and 2 more fields"
    assert len(details) == 5


def test_billing_adds_its_answer_for_those_who_may_see_it(desk, front_desk, patient):
    BillingAccount.objects.update(status="active", account_id="ACC-1", answered_at=timezone.now())
    address = f"/patients/{patient.pk}/timeline/"
    assert lines_of(desk.get(address))[0] == (
        "Billing account open, as billing answered last",
        ["Account ACC-1"],
    )
    BillingAccount.objects.update(status="failed", last_error_code="INVALID_ARGUMENT")
    assert lines_of(desk.get(address))[0][0] == "Billing refused the account"
    front_desk.groups.get().permissions.remove(
        Permission.objects.get(codename="view_billingaccount")
    )
    assert [title for title, _ in lines_of(desk.get(address))] == ["Registered"]


@committing
def test_every_event_stands_on_exactly_one_page(desk, patient):
    for number in range(40):
        change_patient(patient.pk, {"city": f"Town {number}"}, by=None, source="api")
    third = PatientEvent.objects.get(pgh_obj_id=patient.pk, version=3)
    answered = third.pgh_created_at + timedelta(microseconds=1)
    BillingAccount.objects.update(
        status="active", account_id="A", answered_at=answered, next_attempt_at=None
    )
    first = desk.get(f"/patients/{patient.pk}/timeline/")
    second = desk.get(f"/patients/{patient.pk}/timeline/?before={first.context['older']}")
    titles = [title for title, _ in [*lines_of(first), *lines_of(second)]]
    assert (len(titles), len(lines_of(first))) == (42, 30)
    assert titles[-4:] == [
        "Billing account open, as billing answered last",
        "Changed city",
        "Changed city",
        "Registered",
    ]
