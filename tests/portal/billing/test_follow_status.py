"""The account follows the patient: closed while the record is archived or merged, open again when it is back."""

import pytest

from portal.billing.client import BillingClient
from portal.billing.loop import BillingLoop
from portal.billing.models import BillingAccount
from portal.billing.services import request_again
from portal.duplicates.merge import merge_patient, unmerge_patient
from portal.patients import services
from portal.patients.models import Patient
from tests.portal.billing.conftest import account, change, new_patient, run, waiting

pytestmark = pytest.mark.django_db
HOW = {"by": None, "source": "portal"}


def archive(patient):
    return services.archive_patient(patient.pk, **HOW)


def restore(patient):
    return services.restore_patient(patient.pk, **HOW)


def states(server, patient) -> tuple[str, bool]:
    """Our status, and whether billing has a closing time."""
    theirs = server.accounts()[str(patient.pk)]
    ours = account(patient)
    assert (ours.account_id, ours.synced_version) == (theirs.account_id, theirs.patient_version)
    return ours.status, theirs.HasField("closed_at")


def test_archiving_closes_the_account_and_restoring_opens_it_again(loop, server, patient):
    """Red when the status is not compared, or not told."""
    run(loop)
    given = account(patient).account_id
    archive(patient)
    run(loop)
    assert states(server, patient) == ("closed", True)
    restore(patient)
    run(loop)
    assert states(server, patient) == ("active", False)
    assert account(patient).account_id == given
    assert waiting() == 0


def test_a_merged_record_has_its_account_closed_until_the_merge_is_taken_back(
    loop, server, patient
):
    """And the survivor's account is told the name that it got."""
    survivor = new_patient(family_name="Survivor")
    run(loop)
    given = account(patient).account_id
    merge_patient(patient.pk, into=survivor.pk, reason="Papers seen", take=["family_name"], **HOW)
    run(loop)
    assert [states(server, one) for one in (patient, survivor)] == [
        ("closed", True),
        ("active", False),
    ]
    assert server.accounts()[str(survivor.pk)].name == server.accounts()[str(patient.pk)].name
    unmerge_patient(patient.pk, **HOW)
    run(loop)
    assert [states(server, one) for one in (patient, survivor)] == [("active", False)] * 2
    assert (account(patient).account_id, waiting()) == (given, 0)
    assert server.accounts()[str(survivor.pk)].name.endswith("Survivor")


def test_sql_that_archives_is_found_by_the_sweep(loop, server, clock, patient):
    run(loop)
    for status, ours in (("archived", ("closed", True)), ("active", ("active", False))):
        Patient.objects.filter(pk=patient.pk).update(status=status)
        clock.now += 5
        run(loop)
        assert states(server, patient) == ours


def test_a_patient_who_is_archived_before_billing_heard_of_her_ends_closed(loop, server, patient):
    archive(patient)
    run(loop)
    assert states(server, patient) == ("closed", True)
    assert (len(server.accounts()), waiting()) == (1, 0)


def test_a_patient_restored_right_after_archiving_stays_open(loop, server, patient):
    run(loop)
    archive(patient)
    restore(patient)
    run(loop)
    assert states(server, patient) == ("active", False)
    assert account(patient).synced_version == 3


def test_an_archived_patient_may_be_corrected_and_stays_closed(loop, server, patient):
    run(loop)
    archive(patient)
    run(loop)
    closed_at = server.accounts()[str(patient.pk)].closed_at
    change(patient, family_name="Corrected")
    run(loop)
    theirs = server.accounts()[str(patient.pk)]
    assert (theirs.name, theirs.closed_at) == ("Jane Corrected", closed_at)
    assert states(server, patient) == ("closed", True)


@pytest.mark.parametrize("first", ["open_accounts", "update_accounts"])
@pytest.mark.parametrize("then", [[archive], [archive, restore]])
def test_what_happens_while_a_call_is_on_its_way_is_told_next(
    loop, server, clock, patient, first, then
):
    """Red when the answer to the earlier call ends the waiting."""
    if first == "update_accounts":
        run(loop)
        change(patient, family_name="Corrected")
    client = meanwhile(first, lambda: [do(patient) for do in then])
    slow = BillingLoop(client, clock)
    slow.step(1)
    assert waiting() == 1
    run(slow)
    client.close()
    assert states(server, patient) == (("active", False) if restore in then else ("closed", True))


def meanwhile(call, happens):
    """A client in whose first such call something happens after the server's answer and before ours."""

    class Slow(BillingClient):
        is_first = True

    def slow(self, many):
        answer = getattr(BillingClient, call)(self, many)
        if self.is_first:
            self.is_first = False
            happens()
        return answer

    setattr(Slow, call, slow)
    return Slow()


def test_a_late_call_of_an_earlier_leader_changes_nothing(loop, server, clock, patient):
    """It was claimed before the restoring, and arrives after the newer leader's."""
    run(loop)
    archive(patient)

    def newer_leader_goes_first():
        restore(patient)
        run(loop, fence=2)
        assert states(server, patient) == ("active", False)

    class Sleeper(BillingClient):
        def update_accounts(self, many):
            newer_leader_goes_first()
            return super().update_accounts(many)

    client = Sleeper()
    BillingLoop(client, clock).step(1)
    client.close()
    assert states(server, patient) == ("active", False)
    assert account(patient).synced_version == 3
    assert waiting() == 0


def test_many_archived_at_once_are_all_closed(loop, server):
    people = services.register_patients(
        [{"family_name": f"Example{n}"} for n in range(80)], by=None, source="import"
    )
    run(loop)
    for patient in people[:50]:
        archive(patient)
    run(loop)
    closed = {pk for pk, theirs in server.accounts().items() if theirs.HasField("closed_at")}
    assert closed == {str(patient.pk) for patient in people[:50]}
    assert BillingAccount.objects.filter(status="closed").count() == 50


def test_the_api_shows_the_account_closed(loop, server, desk_api, patient):
    run(loop)
    archive(patient)
    run(loop)
    assert desk_api.get(f"/api/patients/{patient.pk}").json()["billing"]["status"] == "closed"


def test_an_account_that_somebody_else_closed_is_opened_again_on_request(loop, server, client_of):
    """So that repair can mend what no version tells apart."""
    patient = new_patient()
    run(loop)
    client_of(server.address).close_account(patient.pk)
    assert request_again([patient.pk]) == 1
    run(loop)
    assert states(server, patient) == ("active", False)
