"""Clients of the plain `BillingService`, with descriptors of their own, get the same accounts."""

from concurrent.futures import ThreadPoolExecutor

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


def test_an_id_that_is_no_uuid_has_one_account_however_often_it_is_asked(create):
    first = create(patientId="12333", name="Zoë Müller", email="zoe@example.org")
    again = create(patientId=" 12333 ", name="Zoë Meyer", email="")
    assert first.accountId.startswith("BA-")
    assert (again.accountId, again.status) == (first.accountId, "ACTIVE")
    assert create(patientId="12334", name="Zoë Müller").accountId != first.accountId


def test_an_id_asked_by_many_at_once_has_one_account(create):
    with ThreadPoolExecutor(8) as threads:
        answers = threads.map(lambda _: create(patientId="at once", name="Zoë"), range(40))
    assert len({answer.accountId for answer in answers}) == 1


@pytest.mark.parametrize("form", ["{0}", "urn:uuid:{0}", "{{{0}}}", "{1}"])
def test_a_uuid_in_another_form_is_the_same_patient(billing, create, form):
    """Red when it becomes a second account of that patient."""
    patient = new_patient()
    account = billing.open(patient).account
    text = form.format(patient.patient_id.upper(), patient.patient_id.replace("-", ""))
    assert create(patientId=text, name="Zoë").accountId == account.account_id


def test_an_account_of_an_older_client_is_listed_under_its_own_id(billing, create):
    account_id = create(patientId="listed", name="Zoë").accountId
    before = f"BA-{int(account_id.removeprefix('BA-')) - 1:09d}"
    [listed] = billing.list(1, before).accounts
    assert (listed.account_id, listed.patient_id) == (account_id, "")
    assert (listed.client_patient_id, listed.patient_version) == ("listed", 0)


def test_the_newer_service_takes_no_id_but_a_uuid(billing, create):
    create(patientId="12335", name="Zoë")
    expected = ("INVALID_ARGUMENT", "patient_id: must be a UUID of 36 characters")
    assert refusal(billing.open, new_patient(patient_id="12335")) == expected
    assert refusal(billing.get, "12335") == expected


@pytest.mark.parametrize(
    ("patient_id", "problem"),
    [
        ("", "is required"),
        ("  ", "is required"),
        ("1" * 101, "must be at most 100 characters"),
        ("1\0", "must not have the character U+0000"),
        ("1\n2", "must not have control characters"),
    ],
)
def test_an_id_that_cannot_be_kept_is_refused(create, patient_id, problem):
    assert refusal(create, patientId=patient_id, name="Zoë") == (
        "INVALID_ARGUMENT",
        f"patientId: {problem}",
    )


def test_a_wrong_field_is_named_as_older_clients_know_it(create):
    assert refusal(create, patientId=new_patient().patient_id) == (
        "INVALID_ARGUMENT",
        "name: is required",
    )
