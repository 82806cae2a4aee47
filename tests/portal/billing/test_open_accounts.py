"""The billing loop and the real server: each patient gets one account, whatever happens."""

import pytest

from portal.billing.client import BillingAway, BillingClient, Details
from portal.billing.loop import PROBE_SECONDS, BillingLoop
from portal.billing.models import BillingAccount
from portal.patients import services
from portal.patients.models import Patient
from portal.relay_loops import Round
from tests.portal.billing.conftest import (
    account_of,
    change,
    count_waiting,
    new_patient,
    run_until_idle,
)
from tests.waits import wait_for

pytestmark = pytest.mark.django_db


def caught_up(loop, clock) -> bool:
    clock.now += PROBE_SECONDS
    run_until_idle(loop)
    return count_waiting() == 0


def test_a_registered_patient_gets_an_account(loop, server, patient):
    assert loop.step(1) is Round.DONE
    [[patient_id, theirs]] = server.accounts().items()
    assert (patient_id, theirs.name, theirs.email) == (
        str(patient.pk),
        "Jane Example",
        "jane@example.org",
    )
    ours = account_of(patient)
    assert (ours.status, ours.account_id, ours.synced_version) == ("active", theirs.account_id, 1)
    assert loop.step(1) is Round.IDLE


def test_an_import_of_700_is_opened_in_two_calls(loop, server):
    services.register_patients(
        [{"family_name": f"Example{n}"} for n in range(700)], by=None, source="import"
    )
    assert [loop.step(1), loop.step(1), loop.step(1)] == [Round.MORE, Round.DONE, Round.IDLE]
    assert len(server.accounts()) == BillingAccount.objects.filter(status="active").count() == 700


def test_a_correction_reaches_the_account(loop, server, patient):
    run_until_idle(loop)
    change(patient, family_name="Corrected", email="")
    run_until_idle(loop)
    theirs = server.accounts()[str(patient.pk)]
    assert (theirs.name, theirs.email, theirs.patient_version) == ("Jane Corrected", "", 2)
    assert account_of(patient).synced_version == 2
    assert count_waiting() == 0


def test_many_corrections_at_once_all_reach_their_accounts(loop, server):
    patients = services.register_patients(
        [{"family_name": f"Example{n}"} for n in range(80)], by=None, source="import"
    )
    run_until_idle(loop)
    services.change_patients(
        [(patient.pk, {"given_name": "New"}) for patient in patients], by=None, source="import"
    )
    run_until_idle(loop)
    assert all(theirs.name.startswith("New ") for theirs in server.accounts().values())


def test_a_lost_reply_opens_no_second_account(loop, server, clock, patient):
    class LosesTheFirstReply(BillingClient):
        def open_accounts(self, many):
            opened = super().open_accounts(many)
            if not account_of(patient).attempts:
                raise BillingAway("DEADLINE_EXCEEDED")
            return opened

    client = LosesTheFirstReply()
    loop = BillingLoop(client, clock)
    loop.step(1)
    assert account_of(patient).status == "pending"
    clock.now += PROBE_SECONDS
    run_until_idle(loop)
    client.close()
    assert account_of(patient).account_id == server.accounts()[str(patient.pk)].account_id
    assert len(server.accounts()) == 1


def test_registering_does_not_wait_for_billing_that_is_away(loop, server, patient):
    server.end()
    loop.step(1)
    ours = account_of(patient)
    assert (ours.status, ours.last_error_code, ours.attempts) == ("pending", "UNAVAILABLE", 1)
    assert ours.next_attempt_at is not None
    new_patient(family_name="Another")
    assert count_waiting() == 2


def test_after_an_outage_everything_is_caught_up_at_once(loop, server, clock):
    services.register_patients(
        [{"family_name": f"Example{n}"} for n in range(600)], by=None, source="import"
    )
    server.end()
    for _ in range(4):
        loop.step(1)
        clock.now += PROBE_SECONDS
    server.start()
    wait_for(lambda: caught_up(loop, clock))
    assert len(server.accounts()) == 600
    assert (
        BillingAccount.objects.filter(status="active", attempts=0, last_error_code="").count()
        == 600
    )


def test_while_billing_is_away_a_single_row_is_tried(loop, server, clock):
    services.register_patients(
        [{"family_name": f"Example{n}"} for n in range(50)], by=None, source="import"
    )
    server.end()
    loop.step(1)
    assert loop.step(1) is Round.AWAY, "it stays silent until the next probe"
    clock.now += PROBE_SECONDS
    loop.step(1)
    assert BillingAccount.objects.filter(attempts=2).count() == 1


def test_a_waiting_row_waits_twice_as_long_each_time_up_to_ten_minutes(
    loop, server, clock, patient
):
    server.end()
    waits = []
    for _ in range(13):
        loop.step(1)
        ours = account_of(patient)
        waits.append(round((ours.next_attempt_at - ours.updated_at).total_seconds()))
        clock.now += PROBE_SECONDS
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600, 600]


def test_one_refused_row_does_not_spoil_the_others(loop, server):
    patients = services.register_patients(
        [{"family_name": f"Example{n}"} for n in range(9)], by=None, source="import"
    )
    wrong = patients[4]
    Patient.objects.filter(pk=wrong.pk).update(email="no address at all")
    run_until_idle(loop)
    assert (account_of(wrong).status, account_of(wrong).last_error_code) == (
        "failed",
        "INVALID_ARGUMENT",
    )
    assert BillingAccount.objects.filter(status="active").count() == 8
    assert count_waiting() == 0


def test_a_refused_correction_is_shown_and_the_next_one_is_taken(loop, server, patient):
    run_until_idle(loop)
    change(patient, email="no address at all")
    run_until_idle(loop)
    assert account_of(patient).status == "failed"
    change(patient, email="right@example.org")
    run_until_idle(loop)
    assert account_of(patient).status == "active"
    assert server.accounts()[str(patient.pk)].email == "right@example.org"


def test_an_account_with_other_details_is_brought_up_to_date(loop, server, patient, client_of):
    client_of(server.address).open_accounts([Details(patient.pk, "Someone Else", "", 0)])
    run_until_idle(loop)
    assert server.accounts()[str(patient.pk)].name == "Jane Example"
    assert (account_of(patient).status, account_of(patient).synced_version) == ("active", 1)


def test_an_account_that_billing_forgot_is_opened_again(loop, server, patient):
    BillingAccount.objects.filter(pk=patient.pk).update(
        status="active", account_id="BA-000000999", synced_version=1
    )
    change(patient, family_name="Corrected")
    run_until_idle(loop)
    assert (
        account_of(patient).account_id
        == server.accounts()[str(patient.pk)].account_id
        != "BA-000000999"
    )


def test_a_change_during_a_call_goes_into_the_next_call(loop, server, clock, patient):
    class Interrupted(BillingClient):
        def open_accounts(self, many):
            opened = super().open_accounts(many)
            change(patient, family_name="Meanwhile")
            return opened

    client = Interrupted()
    loop = BillingLoop(client, clock)
    run_until_idle(loop)
    client.close()
    assert server.accounts()[str(patient.pk)].name == "Jane Meanwhile"
    assert account_of(patient).synced_version == 2


def test_sql_inserts_get_their_account_too(loop, server, clock):
    Patient.objects.bulk_create([Patient(family_name="Past", given_name="Raw SQL")])
    run_until_idle(loop)
    assert len(server.accounts()) == 1
    Patient.objects.bulk_create([Patient(family_name="Another")])
    clock.now += 5
    run_until_idle(loop)
    assert len(server.accounts()) == 2


def test_the_text_of_the_server_is_dropped(loop, server, client_of, patient):
    Patient.objects.filter(pk=patient.pk).update(email="no address at all")
    run_until_idle(loop)
    stored = str(BillingAccount.objects.values().get(pk=patient.pk))
    assert "no address" not in stored
    assert "must be" not in stored
