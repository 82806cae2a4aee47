"""A user dismisses a pair once; that stands until the pair is reopened."""

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
        validate_details(given), by=None, source="portal", override_reason="twin"
    )


@pytest.fixture
def records():
    return register(), register(given_name="Joan")


def test_first_dismissal_stands_in_whatever_order_the_pair_is_given(records, front_desk):
    first, second = records
    dismiss_pair(second.pk, first.pk, by=front_desk, reason="Twins")
    dismiss_pair(first.pk, second.pk, by=None, reason="Another")
    pair = PossibleDuplicate.objects.get()
    assert (pair.state, pair.reason, pair.decided_by, pair.grade) == (
        "apart",
        "Twins",
        front_desk,
        "probable",
    )
    assert [pair.first, pair.second] == sorted(records, key=lambda patient: patient.pk)


def test_a_dismissed_pair_is_reopened_and_both_decisions_are_audited(records, front_desk):
    first, second = (patient.pk for patient in records)
    dismiss_pair(first, second, by=front_desk)
    pair = reopen_pair(second, first, by=front_desk)
    reopen_pair(second, first, by=front_desk)
    assert (pair.state, pair.decided_by, pair.decided_at) == (PairState.OPEN, None, None)
    records = AccessRecord.objects.filter(user=front_desk).order_by("id")
    assert [(record.action, set(record.patient_ids)) for record in records] == [
        ("set_apart", {first, second}),
        ("put_back", {first, second}),
    ]


def test_a_reason_is_cleaned_and_a_damaged_one_is_refused(records, front_desk):
    first, second = (record.pk for record in records)
    with pytest.raises(InvalidInput):
        dismiss_pair(first, second, by=front_desk, reason="twin\x00")
    pair = dismiss_pair(first, second, by=front_desk, reason=" Twin\u200bs ")
    assert pair.reason == "Twins"


def test_a_weak_pair_can_be_dismissed_but_not_reopened(records):
    stranger = register(family_name="Other", date_of_birth="1950-01-02")
    assert dismiss_pair(records[0].pk, stranger.pk, by=None).grade == "possible"
    with pytest.raises(Conflict):
        reopen_pair(records[0].pk, stranger.pk, by=None)


def test_a_pair_of_one_record_or_with_a_missing_one_is_refused(records):
    with pytest.raises(InvalidInput):
        dismiss_pair(records[0].pk, records[0].pk, by=None)
    with pytest.raises(NotFound):
        dismiss_pair(records[0].pk, uuid.uuid4(), by=None)
    assert not PossibleDuplicate.objects.exists()


def test_deleting_a_patient_by_sql_deletes_the_pairs():
    records = Patient.objects.bulk_create(
        [Patient(family_name="Example"), Patient(family_name="Example")]
    )
    dismiss_pair(records[0].pk, records[1].pk, by=None)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM patients_patient WHERE id = %s", [records[1].pk])
    assert not PossibleDuplicate.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_eight_users_who_dismiss_at_once_make_one_decision(records):
    first, second = (patient.pk for patient in records)

    def decide(number):
        try:
            return dismiss_pair(
                *((first, second) if number % 2 else (second, first)),
                by=None,
                reason=f"Desk {number}",
            ).reason
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(decide, range(8)))) == 1
    assert PossibleDuplicate.objects.count() == 1
    assert AccessRecord.objects.filter(action="set_apart").count() == 1
