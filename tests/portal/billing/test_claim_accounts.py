"""No two relays claim an account, and the answer of an earlier leader is not written."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection
from django.utils import timezone

from portal.billing.claims import (
    claim_due,
    mark_refused,
    mark_synced,
    postpone_claims,
    take_over_claims,
)
from portal.billing.client import Account
from portal.billing.models import BillingAccount
from portal.patients import services
from tests.portal.billing.conftest import account_of, new_patient

pytestmark = pytest.mark.django_db


def answers(claims):
    """Returns accounts as billing would answer."""
    return [
        Account(f"BA-{n:09d}", claim.details.patient_id, 1, False)
        for n, claim in enumerate(claims, 1)
    ]


def test_a_claimed_row_is_not_claimed_again(patient):
    assert len(claim_due(fence=1, limit=10)) == 1
    assert claim_due(fence=1, limit=10) == []


@pytest.mark.parametrize("account_id", ["BA-1", 'BA "1"', "BA\\1", "{BA,1}", "NULL"])
def test_the_number_of_an_account_is_stored_as_billing_gave_it(patient, account_id):
    """Red when it is not quoted, or its quotes or backslashes are not escaped."""
    claims = claim_due(fence=1, limit=10)
    mark_synced(claims, [Account(account_id, claims[0].details.patient_id, 1, True)], [1])
    account = account_of(patient)
    assert (account.account_id, account.status, account.synced_version) == (account_id, "closed", 1)


@pytest.mark.django_db(transaction=True)
def test_no_more_than_the_limit_is_claimed_whatever_the_planner_believes():
    """It believes in a single row: a nested loop would make the choice anew for each row."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE billing_billingaccount")
        new_patient()
        cursor.execute("VACUUM ANALYZE billing_billingaccount")
    services.register_patients(
        [{"family_name": f"Example{n}"} for n in range(49)], by=None, source="import"
    )
    assert len(claim_due(fence=1, limit=1)) == 1


@pytest.mark.django_db(transaction=True)
def test_claims_at_the_same_moment_never_share_a_row():
    services.register_patients(
        [{"family_name": f"Example{n}"} for n in range(200)], by=None, source="import"
    )
    together = Barrier(4)

    def claim(_):
        together.wait(20)
        try:
            claims = [claim for _ in range(5) for claim in claim_due(fence=1, limit=17)]
            return [claim.details.patient_id for claim in claims]
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        claimed = [patient for ids in threads.map(claim, range(4)) for patient in ids]
    assert len(claimed) == len(set(claimed)) == 200


def test_a_claim_of_a_killed_relay_runs_out(patient):
    claim_due(fence=1, limit=10)
    BillingAccount.objects.update(next_attempt_at="2020-01-01T00:00Z")
    assert len(claim_due(fence=1, limit=10)) == 1


def test_a_later_leader_takes_over_at_once(patient):
    claim_due(fence=1, limit=10)
    assert take_over_claims(fence=2) == 1
    assert len(claim_due(fence=2, limit=10)) == 1
    assert take_over_claims(fence=2) == 0


def test_an_earlier_leaders_answer_changes_nothing(patient):
    [late] = claim_due(fence=1, limit=10)
    take_over_claims(fence=2)
    claim_due(fence=2, limit=10)
    mark_synced([late], answers([late]), [1])
    mark_refused(late, "INVALID_ARGUMENT")
    postpone_claims([late], "UNAVAILABLE")
    ours = account_of(patient)
    assert (ours.status, ours.account_id, ours.last_error_code, ours.claimed_by) == (
        "pending",
        "",
        "",
        2,
    )


def test_a_claim_carries_the_patient_as_it_is_now(patient):
    services.change_patient(patient.pk, {"given_name": "Janet"}, by=None, source="api")
    [claim] = claim_due(fence=1, limit=10)
    assert (claim.details.name, claim.details.version, claim.account_id) == ("Janet Example", 2, "")


@pytest.mark.django_db(transaction=True)
def test_a_row_that_a_correction_holds_is_left_without_a_wait():
    held, free = new_patient(family_name="Held"), new_patient(family_name="Free")
    with ThreadPoolExecutor(1) as other, connection.cursor() as cursor:
        claims = claim_due(fence=1, limit=10)
        cursor.execute("BEGIN")
        cursor.execute(
            "SELECT 1 FROM billing_billingaccount WHERE patient_id = %s FOR UPDATE", [held.pk]
        )
        other.submit(mark_synced_elsewhere, claims).result(20)
        cursor.execute("ROLLBACK")
    assert (account_of(free).status, account_of(held).status) == ("active", "pending")


def mark_synced_elsewhere(claims):
    try:
        mark_synced(claims, answers(claims), [1] * len(claims))
    finally:
        connection.close()


def test_a_try_without_an_answer_does_not_count_as_an_answer(patient):
    claims = claim_due(fence=1, limit=1)
    mark_synced(claims, answers(claims), [1])
    answered = account_of(patient).answered_at
    BillingAccount.objects.update(next_attempt_at="2020-01-01T00:00Z")
    postpone_claims(claim_due(fence=1, limit=1), "UNAVAILABLE")
    assert answered is not None
    assert account_of(patient).answered_at == answered


@pytest.mark.parametrize("attempts", [-(2**31), 2**30])
def test_any_number_of_attempts_postpones_by_ten_minutes_at_most(patient, attempts):
    """Red where a number that SQL wrote makes the database refuse the whole wave."""
    BillingAccount.objects.update(attempts=attempts)
    postpone_claims(claim_due(fence=1, limit=1), "UNAVAILABLE")
    account = account_of(patient)
    assert account.last_error_code == "UNAVAILABLE"
    assert account.next_attempt_at < timezone.now() + timedelta(minutes=10, seconds=1)
