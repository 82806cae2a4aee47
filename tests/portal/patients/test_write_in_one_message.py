"""A program's registration and change is one message, with all that the longer way does."""

import threading

import pytest
from django.db import connection, connections

from portal.billing.models import BillingAccount
from portal.patients import api, number_series, quick_change, services
from portal.patients.audit import one_change
from portal.patients.models import AccessRecord, Patient, PatientEvent, Source

pytestmark = pytest.mark.django_db
JANE = {"familyName": "Example", "givenName": "Jane", "dateOfBirth": "1970-05-05"}
TAKEN = [{"system": "insurance", "value": "A1"}]
INSURED = {**JANE, "identifiers": TAKEN}
NOBODY = ["", None, [], [], []]  # What a look compares that came before another transaction ended.
BY = {"by": None, "source": Source.COMMAND}


@pytest.fixture
def only_at_once(monkeypatch):
    """Makes the longer way fail."""

    def refuse(*_args, **_options):
        raise AssertionError("This went the longer way.")

    with one_change(**BY):  # The numbers of this database are compared.
        pass
    monkeypatch.setattr(services, "register_patient", refuse)
    monkeypatch.setattr(services, "change_patient", refuse)


def post(client, body=INSURED):
    return client.post("/api/patients", body, format="json")


def patch(client, patient_id, body):
    return client.patch(f"/api/patients/{patient_id}", body, format="json")


def context_of(patient_id, version):
    return PatientEvent.objects.get(pgh_obj_id=patient_id, version=version).pgh_context


def test_a_registration_writes_all_rows(desk_api, front_desk, only_at_once):
    answer = post(desk_api)
    assert answer.status_code == 201, answer.content
    patient = Patient.objects.get()
    assert answer.json() == desk_api.get(answer.headers["Location"]).json()
    assert answer.headers["ETag"] == '"1"'
    assert answer.json()["identifiers"][0]["value"] == "A1"
    assert BillingAccount.objects.get().wanted_version == 1
    context = context_of(patient.pk, 1)
    assert (context["user"], context["source"]) == (front_desk.pk, "api")
    assert context["request_id"] == answer.headers["X-Request-Id"]
    assert context["route"] == "api/patients"


def test_a_registration_is_one_message(desk_api, only_at_once, django_assert_num_queries):
    post(desk_api, {**JANE, "familyName": "Other"})
    with django_assert_num_queries(3):  # Two are of the savepoint in a test.
        assert post(desk_api).status_code == 201


def test_the_same_person_is_refused_as_ever(desk_api):
    first = post(desk_api, JANE)
    answer = post(desk_api, {**JANE, "givenName": "JANE"})
    assert answer.status_code == 409
    assert answer.json()["patientIds"] == [first.json()["id"]]
    assert Patient.objects.count() == PatientEvent.objects.count() == 1


def test_a_taken_identifier_is_refused_as_ever(desk_api):
    post(desk_api)
    answer = post(desk_api, {**INSURED, "familyName": "Other"})
    assert answer.status_code == 409
    assert answer.json()["errors"][0]["code"] == "taken"
    assert Patient.objects.count() == 1


def test_an_identifier_taken_meanwhile_is_refused_as_ever(desk_api, monkeypatch):
    """Red when the database's refusal becomes the answer."""
    post(desk_api)
    monkeypatch.setattr("portal.patients.quick_registration.exact_look", lambda _: NOBODY)
    answer = post(desk_api, {**INSURED, "familyName": "Other"})
    assert answer.status_code == 409
    assert answer.json()["errors"][0]["code"] == "taken"
    assert Patient.objects.count() == 1


def test_a_database_of_another_identity_is_compared_first(desk_api, monkeypatch):
    """Red when a restored series of numbers is used before it was compared."""
    post(desk_api, JANE)
    monkeypatch.setattr(number_series, "_compared_here", {"that of before the restore"})
    assert post(desk_api, {**JANE, "familyName": "Other"}).status_code == 201
    assert number_series.database_identity() in number_series.compared_identities()


def test_a_change_writes_all_rows(desk_api, front_desk, only_at_once):
    patient_id = post(desk_api).json()["id"]
    BillingAccount.objects.all().delete()  # As after an SQL script.
    AccessRecord.objects.all().delete()
    answer = patch(desk_api, patient_id, {"phone": "617 555 0144"})
    assert answer.status_code == 200
    assert AccessRecord.objects.get().patient_ids == [Patient.objects.get().pk]
    assert answer.json() == desk_api.get(f"/api/patients/{patient_id}").json()
    assert answer.headers["ETag"] == '"2"'
    assert Patient.objects.get().phone_e164 == "+16175550144"
    assert BillingAccount.objects.count() == 1
    context = context_of(patient_id, 2)
    assert (context["user"], context["source"]) == (front_desk.pk, "api")


def test_a_refused_change_is_a_recorded_read(desk_api):
    patient_id = post(desk_api).json()["id"]
    AccessRecord.objects.all().delete()
    assert patch(desk_api, patient_id, {"familyName": "", "givenName": ""}).status_code == 400
    assert AccessRecord.objects.filter(action="open").count() == 1


def test_billing_hears_of_a_changed_name(desk_api):
    patient_id = post(desk_api).json()["id"]
    assert patch(desk_api, patient_id, {"familyName": "Married"}).status_code == 200
    assert BillingAccount.objects.get().wanted_version == 2


def test_a_change_beside_another_keeps_both(desk_api, monkeypatch):
    """Red when the record is written as it was read, over what was changed meanwhile."""
    patient_id = post(desk_api).json()["id"]
    write = quick_change.write_unless_changed

    def write_late(patient, columns, **options):
        services.change_patient(patient.pk, {"city": "Leeds"}, **BY)
        return write(patient, columns, **options)

    monkeypatch.setattr(services, "write_unless_changed", write_late)
    answer = patch(desk_api, patient_id, {"phone": "617 555 0144"})
    assert (answer.json()["city"], answer.json()["phone"]) == ("Leeds", "617 555 0144")
    assert answer.headers["ETag"] == '"3"'


@pytest.mark.django_db(transaction=True)
def test_what_is_answered_is_committed(desk_api):
    """Red when the message stays in a transaction that nobody ends."""
    patient_id = post(desk_api).json()["id"]
    assert patch(desk_api, patient_id, {"phone": "617 555 0144"}).status_code == 200
    assert not connection.in_atomic_block
    seen = []

    def look():
        try:
            seen.append(Patient.objects.get(pk=patient_id).phone)
        finally:
            connections.close_all()

    other = threading.Thread(target=look)
    other.start()
    other.join()
    assert seen == ["617 555 0144"]


@pytest.mark.django_db(transaction=True)
def test_a_failing_message_leaves_nothing(desk_api, monkeypatch):
    """Red when a part of the message is committed alone."""
    post(desk_api)
    monkeypatch.setattr("portal.patients.quick_registration.exact_look", lambda _: NOBODY)
    monkeypatch.setattr(services, "register_patient", lambda *_, **__: pytest.fail("enough"))
    with pytest.raises(pytest.fail.Exception):
        api._register(None, {"family_name": "Other", "identifiers": TAKEN}, key="", reason="")
    assert Patient.objects.count() == PatientEvent.objects.count() == 1
