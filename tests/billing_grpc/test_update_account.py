"""UpdateBillingAccount: the patient's highest version wins, in whatever order the calls come."""

from uuid import uuid4

from protos.billing.v1 import billing_service_pb2 as v1
from tests.billing_grpc.caller import new_patient, refusal


def test_a_newer_version_brings_name_and_email_up_to_date(billing):
    patient = new_patient()
    before = billing.open(patient).account
    answer = billing.update(
        patient_id=patient.patient_id, name="Zoë Meyer", email="", patient_version=2
    )
    assert answer.updated
    assert (answer.account.name, answer.account.email, answer.account.patient_version) == (
        "Zoë Meyer",
        "",
        2,
    )
    assert (answer.account.account_id, answer.account.opened_at) == (
        before.account_id,
        before.opened_at,
    )
    assert billing.get(patient.patient_id) == answer.account


def test_an_older_or_equal_version_changes_nothing_and_answers_so(billing):
    """Red when the version is not compared, or equal counts as newer."""
    patient = new_patient(patient_version=5)
    before = billing.open(patient).account
    for version in (4, 5):
        answer = billing.update(
            patient_id=patient.patient_id, name="Late", email="", patient_version=version
        )
        assert (answer.updated, answer.account) == (False, before)
    assert billing.get(patient.patient_id) == before


def test_a_closed_account_is_brought_up_to_date_and_stays_closed(billing):
    patient = new_patient()
    billing.open(patient)
    closed = billing.close(patient.patient_id)
    answer = billing.update(
        patient_id=patient.patient_id, name="Zoë Meyer", email="", patient_version=2
    )
    assert (answer.updated, answer.account.name) == (True, "Zoë Meyer")
    assert (answer.account.status, answer.account.closed_at) == (
        v1.ACCOUNT_STATUS_CLOSED,
        closed.closed_at,
    )


def test_a_patient_without_an_account_is_not_found(billing):
    answer = refusal(
        billing.update, patient_id=str(uuid4()), name="Zoë", email="", patient_version=2
    )
    assert answer == ("NOT_FOUND", "the patient has no billing account")


def test_a_wrong_field_is_refused_by_name(billing):
    patient_id = billing.open(new_patient()).account.patient_id
    assert refusal(billing.update, patient_id=patient_id, name="Zoë") == (
        "INVALID_ARGUMENT",
        "patient_version: must be 1 or more",
    )
    assert refusal(billing.update, patient_id=patient_id, patient_version=2) == (
        "INVALID_ARGUMENT",
        "name: is required",
    )
