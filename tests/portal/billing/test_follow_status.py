"""The account is closed while its patient is archived or merged, and opened again afterwards."""

import pytest

from portal.billing.client import BillingClient
from portal.billing.loop import BillingLoop
from portal.billing.models import BillingAccount
from portal.billing.services import request_again
from portal.duplicates.merge import merge_patient, unmerge_patient
from portal.patients import services
from portal.patients.models import Patient
from tests.portal.billing.conftest import (
    account_of,
    change,
    count_waiting,
    new_patient,
    run_until_idle,
)

pytestmark = pytest.mark.django_db
HOW = {"by": None, "source": "portal"}


def archive(patient):
    return services.archive_patient(patient.pk, **HOW)


def restore(patient):
    return services.restore_patient(patient.pk, **HOW)


def states(server, patient) -> tuple[str, bool]:
    """Our status, and whether billing has a closing time."""
    theirs = server.accounts()[str(patient.pk)]
    ours = account_of(patient)
    assert (ours.account_id, ours.synced_version) == (theirs.account_id, theirs.patient_version)
    return ours.status, theirs.HasField("closed_at")


def test_archiving_closes_the_account_and_restoring_opens_it_again(loop, server, patient):
    """Red when the status is not compared, or not told."""
    run_until_idle(loop)
    given = account_of(patient).account_id
    archive(patient)
    run_until_idle(loop)
    assert states(server, patient) == ("closed", True)
    restore(patient)
    run_until_idle(loop)
    assert states(server, patient) == ("active", False)
    assert account_of(patient).account_id == given
    assert count_waiting() == 0


def test_a_merged_record_has_its_account_closed_until_the_unmerge(loop, server, patient):
    """The survivor's account gets the name that the survivor took over."""
    survivor = new_patient(family_name="Survivor")
    run_until_idle(loop)
    given = account_of(patient).account_id
    merge_patient(patient.pk, into=survivor.pk, reason="Papers seen", take=["family_name"], **HOW)
    run_until_idle(loop)
    assert states(server, patient) == ("closed", True)
    assert states(server, survivor) == ("active", False)
    assert server.accounts()[str(survivor.pk)].name == server.accounts()[str(patient.pk)].name
    unmerge_patient(patient.pk, **HOW)
    run_until_idle(loop)
    assert states(server, patient) == states(server, survivor) == ("active", False)
    assert (account_of(patient).account_id, count_waiting()) == (given, 0)
    assert server.accounts()[str(survivor.pk)].name.endswith("Survivor")


def test_sql_that_archives_is_found_by_the_sweep(loop, server, clock, patient):
    run_until_idle(loop)
    for status, ours in (("archived", ("closed", True)), ("active", ("active", False))):
        Patient.objects.filter(pk=patient.pk).update(status=status)
        clock.now += 5
        run_until_idle(loop)
        assert states(server, patient) == ours


def test_a_patient_who_is_archived_before_the_first_call_ends_closed(loop, server, patient):
    archive(patient)
    run_until_idle(loop)
    assert states(server, patient) == ("closed", True)
    assert (len(server.accounts()), count_waiting()) == (1, 0)


def test_a_patient_restored_right_after_archiving_stays_open(loop, server, patient):
    run_until_idle(loop)
    archive(patient)
    restore(patient)
    run_until_idle(loop)
    assert states(server, patient) == ("active", False)
    assert account_of(patient).synced_version == 3


def test_an_archived_patient_may_be_corrected_and_stays_closed(loop, server, patient):
    run_until_idle(loop)
    archive(patient)
    run_until_idle(loop)
    closed_at = server.accounts()[str(patient.pk)].closed_at
    change(patient, family_name="Corrected")
    run_until_idle(loop)
    theirs = server.accounts()[str(patient.pk)]
    assert (theirs.name, theirs.closed_at) == ("Jane Corrected", closed_at)
    assert states(server, patient) == ("closed", True)


@pytest.mark.parametrize("first", ["open_accounts", "update_accounts"])
@pytest.mark.parametrize("then", [[archive], [archive, restore]])
def test_a_change_during_a_call_goes_into_the_next_call(loop, server, clock, patient, first, then):
    """Red when the answer to the earlier call ends the waiting."""
    if first == "update_accounts":
        run_until_idle(loop)
        change(patient, family_name="Corrected")
    client = client_with_change(first, lambda: [do(patient) for do in then])
    slow = BillingLoop(client, clock)
    slow.step(1)
    assert count_waiting() == 1
    run_until_idle(slow)
    client.close()
    assert states(server, patient) == (("active", False) if restore in then else ("closed", True))


def client_with_change(call, change):
    """Makes a client whose first such call makes a change after the server's answer."""

    class Slow(BillingClient):
        is_first = True

    def slow(self, many):
        answer = getattr(BillingClient, call)(self, many)
        if self.is_first:
            self.is_first = False
            change()
        return answer

    setattr(Slow, call, slow)
    return Slow()


def test_a_late_call_of_an_earlier_leader_changes_nothing(loop, server, clock, patient):
    """It was claimed before the patient was restored, and arrives after the newer leader's."""
    run_until_idle(loop)
    archive(patient)

    def newer_leader_goes_first():
        restore(patient)
        run_until_idle(loop, fence=2)
        assert states(server, patient) == ("active", False)

    class LateClient(BillingClient):
        def update_accounts(self, many):
            newer_leader_goes_first()
            return super().update_accounts(many)

    client = LateClient()
    BillingLoop(client, clock).step(1)
    client.close()
    assert states(server, patient) == ("active", False)
    assert account_of(patient).synced_version == 3
    assert count_waiting() == 0


def test_many_archived_at_once_are_all_closed(loop, server):
    patients = services.register_patients(
        [{"family_name": f"Example{n}"} for n in range(80)], by=None, source="import"
    )
    run_until_idle(loop)
    for patient in patients[:50]:
        archive(patient)
    run_until_idle(loop)
    closed = {pk for pk, theirs in server.accounts().items() if theirs.HasField("closed_at")}
    assert closed == {str(patient.pk) for patient in patients[:50]}
    assert BillingAccount.objects.filter(status="closed").count() == 50


def test_the_api_shows_the_account_closed(loop, server, desk_api, patient):
    run_until_idle(loop)
    archive(patient)
    run_until_idle(loop)
    assert desk_api.get(f"/api/patients/{patient.pk}").json()["billing"]["status"] == "closed"


def test_an_account_that_others_closed_is_opened_again_on_request(loop, server, client_of):
    """So the repair can correct what no version shows."""
    patient = new_patient()
    run_until_idle(loop)
    client_of(server.address).close_account(patient.pk)
    assert request_again([patient.pk]) == 1
    run_until_idle(loop)
    assert states(server, patient) == ("active", False)
