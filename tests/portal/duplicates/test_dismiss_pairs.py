"""A person says once that two records are two people; that stands until it is taken back."""

import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from portal.duplicates.services import dismiss_pair, reopen_pair
from portal.errors import Conflict, InvalidInput, NotFound
from portal.patients.models import AccessRecord, PairState, Patient, PossibleDuplicate
from portal.patients.services import register_patient
from portal.patients.validation import validate_details

pytestmark = pytest.mark.django_db


def register(**details) -> Patient:
    given = {
        "family_name": "Example",
        "given_name": "Jane",
        "date_of_birth": "1984-03-15",
    } | details
    return register_patient(
        validate_details(given), by=None, source="portal", duplicate_reason="twin"
    )


@pytest.fixture
def two():
    return register(), register(given_name="Joan")


def test_first_dismissal_stands_in_whatever_order_the_pair_is_given(two, front_desk):
    one, other = two
    dismiss_pair(other.pk, one.pk, by=front_desk, reason="Twins")
    dismiss_pair(one.pk, other.pk, by=None, reason="Another")
    pair = PossibleDuplicate.objects.get()
    assert (pair.state, pair.reason, pair.decided_by, pair.grade) == (
        "apart",
        "Twins",
        front_desk,
        "probable",
    )
    assert [pair.first, pair.second] == sorted(two, key=lambda patient: patient.pk)


def test_a_dismissed_pair_is_reopened_and_both_decisions_are_audited(two, front_desk):
    one, other = (patient.pk for patient in two)
    dismiss_pair(one, other, by=front_desk)
    pair = reopen_pair(other, one, by=front_desk)
    reopen_pair(other, one, by=front_desk)
    assert (pair.state, pair.decided_by, pair.decided_at) == (PairState.OPEN, None, None)
    records = AccessRecord.objects.filter(user=front_desk).order_by("id")
    assert [(record.action, set(record.patient_ids)) for record in records] == [
        ("set_apart", {one, other}),
        ("put_back", {one, other}),
    ]


def test_a_weak_pair_can_be_dismissed_but_not_reopened(two):
    stranger = register(family_name="Other", date_of_birth="1950-01-02")
    assert dismiss_pair(two[0].pk, stranger.pk, by=None).grade == "possible"
    with pytest.raises(Conflict):
        reopen_pair(two[0].pk, stranger.pk, by=None)


def test_a_pair_of_one_record_or_with_a_missing_one_is_refused(two):
    with pytest.raises(InvalidInput):
        dismiss_pair(two[0].pk, two[0].pk, by=None)
    with pytest.raises(NotFound):
        dismiss_pair(two[0].pk, uuid.uuid4(), by=None)
    assert not PossibleDuplicate.objects.exists()


def test_deleting_a_patient_by_sql_deletes_the_pairs():
    two = Patient.objects.bulk_create(
        [Patient(family_name="Example"), Patient(family_name="Example")]
    )
    dismiss_pair(two[0].pk, two[1].pk, by=None)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM patients_patient WHERE id = %s", [two[1].pk])
    assert not PossibleDuplicate.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_eight_users_who_dismiss_at_once_make_one_decision(two):
    one, other = (patient.pk for patient in two)

    def decide(number):
        try:
            return dismiss_pair(
                *((one, other) if number % 2 else (other, one)), by=None, reason=f"Desk {number}"
            ).reason
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(decide, range(8)))) == 1
    assert PossibleDuplicate.objects.count() == 1
    assert AccessRecord.objects.filter(action="set_apart").count() == 1
