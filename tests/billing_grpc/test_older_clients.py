"""Clients of the plain `BillingService`, with descriptors of their own, get the same accounts."""

import pytest

from protos.billing.v1 import billing_service_pb2 as v1
from tests.billing_grpc.caller import EXISTED, SECONDS, new_patient, refusal
from tests.protos.older import BILLING_REQUEST, BILLING_RESPONSE, older_message

Request = older_message("BillingRequest", BILLING_REQUEST)
Response = older_message("BillingResponse", BILLING_RESPONSE)


@pytest.fixture
def create(billing):
    call = billing.channel.unary_unary(
        "/BillingService/CreateBillingAccount",
        request_serializer=Request.SerializeToString,
        response_deserializer=Response.FromString,
    )
    return lambda **fields: call(Request(**fields), timeout=SECONDS)


def test_an_account_opened_by_an_older_client_is_everybodys(billing, create):
    patient = new_patient()
    answer = create(patientId=patient.patient_id, name=patient.name, email=patient.email)
    account = billing.get(patient.patient_id)
    assert (answer.accountId, answer.status) == (account.account_id, "ACTIVE")
    assert (account.name, account.email, account.patient_version) == (
        patient.name,
        patient.email,
        0,
    )
    assert billing.open(patient).outcome == EXISTED
    assert billing.update(
        patient_id=patient.patient_id, name="Zoë Meyer", patient_version=1
    ).updated


def test_an_older_client_gets_the_account_that_is_there_unchanged(billing, create):
    patient = new_patient()
    account = billing.open(patient).account
    answer = create(patientId=patient.patient_id, name="Other", email="")
    assert (answer.accountId, answer.status) == (account.account_id, "ACTIVE")
    assert billing.get(patient.patient_id) == account


def test_an_older_client_sees_a_closed_account_as_closed(billing, create):
    patient = new_patient()
    billing.open(patient)
    assert billing.close(patient.patient_id).status == v1.ACCOUNT_STATUS_CLOSED
    assert create(patientId=patient.patient_id, name=patient.name).status == "CLOSED"


def test_a_wrong_field_is_named_as_older_clients_know_it(create):
    assert refusal(create, patientId="1", name="Zoë") == (
        "INVALID_ARGUMENT",
        "patientId: must be a UUID of 36 characters",
    )
    assert refusal(create, patientId=new_patient().patient_id) == (
        "INVALID_ARGUMENT",
        "name: is required",
    )
