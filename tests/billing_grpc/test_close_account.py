"""CloseBillingAccount: closing twice is closing once."""

from uuid import uuid4

from protos.billing.v1 import billing_service_pb2 as v1
from tests.billing_grpc.caller import EXISTED, new_patient, refusal


def test_a_closed_account_says_since_when_and_keeps_its_id(billing):
    account = billing.open(new_patient()).account
    closed = billing.close(account.patient_id)
    assert (closed.status, closed.account_id) == (v1.ACCOUNT_STATUS_CLOSED, account.account_id)
    assert closed.closed_at.ToDatetime() >= account.opened_at.ToDatetime()


def test_closing_again_changes_nothing(billing):
    """Red when the second call writes a new closing time."""
    patient = new_patient()
    billing.open(patient)
    assert (
        billing.close(patient.patient_id)
        == billing.close(patient.patient_id)
        == billing.get(patient.patient_id)
    )


def test_opening_again_after_closing_answers_with_the_closed_account(billing):
    patient = new_patient()
    billing.open(patient)
    closed = billing.close(patient.patient_id)
    again = billing.open(patient)
    assert (again.outcome, again.account) == (EXISTED, closed)


def test_a_patient_without_an_account_is_not_found(billing):
    assert refusal(billing.close, str(uuid4())) == (
        "NOT_FOUND",
        "the patient has no billing account",
    )
    assert refusal(billing.close, "x") == (
        "INVALID_ARGUMENT",
        "patient_id: must be a UUID of 36 characters",
    )
