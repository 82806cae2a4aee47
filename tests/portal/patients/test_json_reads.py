"""Programs get the JSON that the database makes: what the serializer gives, in one statement."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from portal.duplicates.merge import merge_patient
from portal.patients.fields import ENTERED_FIELDS
from portal.patients.models import AccessRecord, Patient, Source
from portal.patients.serializers.patient import patient_json
from portal.patients.services import archive_patient, register_patient
from tests.past_the_checks import write_past_the_checks

pytestmark = pytest.mark.django_db
BY = {"by": None, "source": Source.COMMAND}
FULL = {
    "family_name": 'O\'Neill-"Łuk\\asz"',
    "given_name": "王小明",
    "middle_name": "Ann Marie",
    "prefix": "Dr",
    "suffix": "Jr",
    "preferred_name": "Nan",
    "date_of_birth": "1984-03-04",
    "date_of_birth_precision": "month",
    "sex": "female",
    "email": "nan@mail.example",
    "phone": "617 555 0131",
    "address_line1": "12 Mill Lane",
    "address_line2": "Flat 2",
    "city": "Boston",
    "region": "Massachusetts",
    "postal_code": "02139",
    "country": "US",
    "marital_status": "married",
    "race": "White",
    "ethnicity": "Not Hispanic",
    "language": "en",
    "deceased_on": "2024-02-29",
    "registered_on": "2020-01-01",
    "identifiers": [
        {"system": "ssn", "value": "900128001", "valid_from": "2001-01-01", "valid_to": None},
        {"system": "https://clinic.example/ids", "value": "A1"},
    ],
}


@pytest.fixture
def full():
    return register_patient(FULL, **BY)


@pytest.fixture
def least():
    return register_patient({"family_name": "Least"}, **BY)


def serialized(patient: Patient) -> dict:
    return patient_json(Patient.objects.get(pk=patient.pk))


def test_the_full_patient_fills_every_field():
    assert {field.name for field in ENTERED_FIELDS} <= FULL.keys()


@pytest.mark.parametrize("kind", ["full", "least", "archived", "merged", "without an account"])
def test_members_and_values_are_those_of_the_serializer(desk_api, full, least, kind):
    patient = least if kind == "least" else full
    if kind == "archived":
        archive_patient(full.pk, **BY)
    if kind == "merged":
        merge_patient(full.pk, into=least.pk, reason="One person.", **BY)
    if kind == "without an account":
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM billing_billingaccount")
    answer = desk_api.get(f"/api/patients/{patient.pk}")
    assert list(answer.json().items()) == list(serialized(patient).items())
    assert answer.headers["ETag"] == f'"{answer.json()["version"]}"'


def test_a_date_that_cannot_be_comes_with_its_warning(desk_api, full):
    write_past_the_checks(full, date_of_birth="19840-03-15")
    answer = desk_api.get(f"/api/patients/{full.pk}").json()
    assert answer["dateOfBirth"] is None
    assert answer["warnings"]
    [listed] = desk_api.get("/api/patients").json()
    assert listed == answer


def test_a_list_has_the_same_patients(desk_api, full, least):
    answer = desk_api.get("/api/patients")
    assert answer.json() == [serialized(least), serialized(full)]
    [found] = desk_api.get("/api/patients?q=least").json()
    assert found == {**serialized(least), "matchedOn": "Name"}


def test_one_statement_reads_and_records(desk_api, full):
    desk_api.get(f"/api/patients/{full.pk}")  # The user is known now.
    with CaptureQueriesContext(connection) as statements:
        desk_api.get(f"/api/patients/{full.pk}", headers={"X-Request-Id": "request-77"})
    assert not statements.captured_queries  # The prepared one passes Django's cursors by.
    record = AccessRecord.objects.first()
    assert (record.action, record.door, record.request_id) == ("open", "api", "request-77")
    assert record.patient_ids == [full.pk]


def test_nobody_found_is_no_access(desk_api):
    assert desk_api.get("/api/patients").json() == []
    assert desk_api.get("/api/patients/00000000-0000-7000-8000-000000000000").status_code == 404
    assert not AccessRecord.objects.exists()


@pytest.mark.parametrize(
    ("address", "status"),
    [("?limit=0", 400), ("?cursor=x", 400), ("?colour=red", 400), ("?format=json", 200)],
)
def test_what_is_wrong_is_told_as_ever(desk_api, address, status):
    answer = desk_api.get(f"/api/patients{address}")
    assert answer.status_code == status
    assert ("problem+json" in answer.headers["Content-Type"]) == (status == 400)


def test_without_the_right_nothing_is_read(api_as, make_user, full):
    user = make_user("front desk")
    api = api_as(user)
    user.groups.clear()
    assert api.get(f"/api/patients/{full.pk}").status_code == 403
    assert not AccessRecord.objects.exists()
