"""A patient that billing cannot be told of is set aside and shown; all others go on."""

import pytest

from portal.billing import client
from portal.billing.models import BillingAccount
from portal.billing.reasons import reason_of
from tests.past_the_checks import write_past_the_checks
from tests.portal.billing.conftest import account_of, change, new_patient, run_until_idle

pytestmark = pytest.mark.django_db


@pytest.fixture
def unreadable(monkeypatch):
    """A patient whose requests cannot be built."""
    patient = new_patient(family_name="Unreadable")
    build = client._request

    def build_or_fail(kind, details, **more):
        if str(details.patient_id) == str(patient.pk):
            details = client.Details(patient.pk, b"\xff", "", 1)
        return build(kind, details, **more)

    monkeypatch.setattr("portal.billing.client._request", build_or_fail)
    return patient


def test_impossible_dates_stop_no_account(loop, server, patient):
    others = [new_patient(family_name=f"Example{n}") for n in range(3)]
    write_past_the_checks(patient, date_of_birth="19840-03-15", registered_on="12026-11-20")
    run_until_idle(loop)
    assert set(server.accounts()) == {str(row.pk) for row in [patient, *others]}


def test_the_accounts_of_the_others_are_opened(loop, server, unreadable):
    others = [new_patient(family_name=f"Example{n}") for n in range(5)]
    run_until_idle(loop)
    assert set(server.accounts()) == {str(patient.pk) for patient in others}
    left = account_of(unreadable)
    assert (left.status, left.last_error_code) == ("pending", "UNREADABLE")
    assert left.next_attempt_at is not None
    assert "cannot be read" in reason_of(left.last_error_code).words


def test_the_corrections_of_the_others_are_told(loop, server, patient, unreadable):
    run_until_idle(loop)
    BillingAccount.objects.filter(pk=unreadable.pk).update(account_id="BA-1", status="active")
    change(unreadable, email="new@example.org")
    change(patient, email="other@example.org")
    run_until_idle(loop)
    assert server.accounts()[str(patient.pk)].email == "other@example.org"
    assert account_of(unreadable).last_error_code == "UNREADABLE"
