"""A patient who is gone for good leaves no open account at billing."""

import pytest
from django.db import connection

from portal.billing.client import BillingClient, BillingError
from portal.billing.loop import SWEEP_SECONDS, BillingLoop
from portal.billing.models import BillingAccount, OrphanedAccount
from portal.billing.selectors import billing_state
from tests.portal.billing.conftest import account_of, new_patient, run_until_idle
from tests.waits import wait_for

pytestmark = pytest.mark.django_db


def with_sql(*statements):
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def delete_by_orm(patient):
    patient.delete()


def delete_by_sql(patient):
    with_sql("DELETE FROM billing_billingaccount", "DELETE FROM patients_patient")


def after_the_next_sweep(loop, clock):
    clock.now += SWEEP_SECONDS
    run_until_idle(loop)


def is_closed(server, patient_id) -> bool:
    return server.accounts()[str(patient_id)].HasField("closed_at")


@pytest.mark.parametrize("delete", [delete_by_orm, delete_by_sql])
def test_deleting_a_patient_closes_the_account(loop, server, clock, patient, delete):
    """Red without the trigger."""
    patient_id = patient.pk
    run_until_idle(loop)
    delete(patient)
    assert billing_state().waiting == 1
    after_the_next_sweep(loop, clock)
    assert is_closed(server, patient_id)
    assert (billing_state().waiting, OrphanedAccount.objects.count()) == (0, 0)


def test_it_waits_while_billing_is_away(loop, server, clock, patient):
    patient_id = patient.pk
    run_until_idle(loop)
    server.end()
    patient.delete()
    after_the_next_sweep(loop, clock)
    assert billing_state().waiting == 1
    assert billing_state().oldest_seconds >= 0
    server.start()

    def is_caught_up():
        after_the_next_sweep(loop, clock)
        return not OrphanedAccount.objects.exists()

    wait_for(is_caught_up)
    assert is_closed(server, patient_id)


def test_a_patient_who_is_deleted_during_the_opening_leaves_it_closed(server, clock, patient):
    class Meanwhile(BillingClient):
        def open_accounts(self, many):
            patient.delete()
            return super().open_accounts(many)

    patient_id, client = patient.pk, Meanwhile()
    loop = BillingLoop(client, clock)
    run_until_idle(loop)
    after_the_next_sweep(loop, clock)
    client.close()
    assert is_closed(server, patient_id)
    assert not OrphanedAccount.objects.exists()


def test_an_account_that_was_never_opened_is_forgotten(loop, server, clock, patient):
    patient.delete()
    after_the_next_sweep(loop, clock)
    assert server.accounts() == {}
    assert not OrphanedAccount.objects.exists()


def test_a_patient_who_is_still_here_keeps_the_account(loop, server, clock, patient, monkeypatch):
    """Only our row was deleted, and the sweep makes it anew. Red if the patient is not sought."""
    run_until_idle(loop)
    given = account_of(patient).account_id
    BillingAccount.objects.all().delete()
    closed = []
    monkeypatch.setattr(
        BillingClient, "close_account", lambda client, patient_id: closed.append(patient_id)
    )
    after_the_next_sweep(loop, clock)
    assert closed == []
    assert not is_closed(server, patient.pk)
    assert not OrphanedAccount.objects.exists()
    assert (account_of(patient).status, account_of(patient).account_id) == ("active", given)


def test_an_orphan_that_billing_refuses_stays_and_holds_up_no_other(
    loop, server, clock, patient, monkeypatch
):
    other = new_patient(family_name="Other")
    run_until_idle(loop)
    refused, closed = patient.pk, other.pk
    patient.delete()
    other.delete()

    def close(client, patient_id, close=BillingClient.close_account):
        if patient_id == refused:
            raise BillingError("INTERNAL")
        return close(client, patient_id)

    monkeypatch.setattr(BillingClient, "close_account", close)
    after_the_next_sweep(loop, clock)
    assert [orphan.pk for orphan in OrphanedAccount.objects.all()] == [refused]
    assert is_closed(server, closed)
