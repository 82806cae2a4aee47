"""The repair asks billing once more, whatever the rows say that billing knows."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from portal.billing.models import BillingAccount
from portal.billing.services import request_again
from portal.patients.models import Patient
from tests.portal.billing.conftest import (
    account_of,
    change,
    count_waiting,
    new_patient,
    run_until_idle,
)

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "wrong",
    [
        {"account_id": "BA-000099999"},
        {"status": "closed"},
        {"status": "failed", "last_error_code": "INVALID_ARGUMENT", "attempts": 4},
        {"status": "pending", "account_id": "", "synced_version": 0},
        {"wanted_version": 99, "synced_version": 99},
        {"claimed_by": 7, "next_attempt_at": "2999-01-01T00:00Z"},
    ],
)
def test_a_row_that_is_wrong_in_any_way_is_right_afterwards(loop, server, patient, wrong):
    run_until_idle(loop)
    right = BillingAccount.objects.values(
        "status", "account_id", "wanted_version", "synced_version"
    ).get()
    BillingAccount.objects.update(**wrong)
    assert request_again([patient.pk]) == 1
    run_until_idle(loop)
    assert (
        BillingAccount.objects.values(
            "status", "account_id", "wanted_version", "synced_version"
        ).get()
        == right
    )
    assert count_waiting() == 0
    assert len(server.accounts()) == 1


def test_an_account_that_the_server_lost_is_opened_again(loop, server, patient):
    run_until_idle(loop)
    server.forget()
    assert request_again([patient.pk]) == 1
    run_until_idle(loop)
    assert account_of(patient).account_id == server.accounts()[str(patient.pk)].account_id


def test_an_account_at_an_earlier_version_is_brought_up_to_date(loop, server, patient):
    run_until_idle(loop)
    change(patient, family_name="Corrected")
    BillingAccount.objects.update(wanted_version=2, synced_version=2, next_attempt_at=None)
    request_again([patient.pk])
    run_until_idle(loop)
    assert server.accounts()[str(patient.pk)].name == "Jane Corrected"


def test_a_forgotten_account_id_is_asked_for_anew(patient):
    BillingAccount.objects.update(
        status="active", account_id="BA-000000001", synced_version=1, next_attempt_at=None
    )
    assert request_again([patient.pk], forget_account=True) == 1
    assert (account_of(patient).status, account_of(patient).account_id) == ("pending", "")


def test_a_patient_without_a_row_gets_one(db):
    [patient] = Patient.objects.bulk_create([Patient(family_name="Raw")])
    assert request_again([patient.pk]) == 1
    assert count_waiting() == 1


@pytest.mark.django_db(transaction=True)
def test_a_row_that_is_being_written_is_left_without_a_wait():
    held, free = new_patient(family_name="Held"), new_patient(family_name="Free")
    with ThreadPoolExecutor(1) as other, connection.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute(
            "SELECT 1 FROM billing_billingaccount WHERE patient_id = %s FOR UPDATE", [held.pk]
        )
        assert other.submit(request_elsewhere, [held.pk, free.pk]).result(60) == 1
        cursor.execute("ROLLBACK")


def request_elsewhere(ids):
    try:
        return request_again(ids)
    finally:
        connection.close()
