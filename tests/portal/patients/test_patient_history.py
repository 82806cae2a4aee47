"""What changed, page by page, and the record as it was."""

from datetime import UTC, datetime

import pgtrigger
import pytest
from django.db import connection

from portal.patients.history.log import changes_of
from portal.patients.models import AccessRecord, Patient, PatientEvent, PatientIdentifier
from portal.patients.services import change_patient, register_patient
from tests.portal.patients.identifier_rows import NO_ROWS

pytestmark = pytest.mark.django_db
# Identifiers raise the version once in a transaction, so that these tests commit.
committing = pytest.mark.django_db(transaction=True)
JANE = {
    "family_name": "Example",
    "given_name": "Jane",
    "city": "Leeds",
    "identifiers": [{"system": "passport", "value": "P1"}],
}


@pytest.fixture
def patient():
    return register_patient(JANE, by=None, source="api")


def change(patient, **fields):
    return change_patient(patient.pk, fields, by=None, source="api")


def move_event(patient, version, time):
    """Moves an event in time, which only a test may do."""
    with pgtrigger.ignore("patients.PatientEvent:append_only"):
        PatientEvent.objects.filter(pgh_obj_id=patient.pk, version=version).update(
            pgh_created_at=time
        )


def rows_of(answer):
    return [change.fields for change in answer.context["changes"]]


def differing_fields(answer):
    return {row.label: (row.then, row.now) for row in answer.context["rows"] if row.differs}


@committing
def test_an_identifier_has_its_old_and_new_value_in_the_history(desk, patient):
    change(
        patient,
        identifiers=[
            {"system": "passport", "value": "P2"},
            {"system": "insurance", "value": "AB12"},
        ],
    )
    newest, first = rows_of(desk.get(f"/patients/{patient.pk}/history/"))
    assert newest == [("Passport", "P1", "P2"), ("Insurance", "Not recorded", "AB12")]
    assert ("Passport", "Not recorded", "P1") in first


@committing
def test_an_identifier_that_sql_moves_is_in_the_history_of_both_patients(desk, patient):
    other = register_patient({"family_name": "Other"}, by=None, source="api")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE patients_patientidentifier SET patient_id = %s", [other.pk])
    assert rows_of(desk.get(f"/patients/{other.pk}/history/"))[0] == [
        ("Passport", "Not recorded", "P1")
    ]
    was = desk.get(f"/patients/{other.pk}/history/as-it-was/?version=1")
    assert differing_fields(was) == {"Passport": ("Not recorded", "P1")}


@committing
def test_identifiers_from_before_their_log_are_said_to_have_changed(desk, patient):
    with pgtrigger.ignore("patients.PatientIdentifier:write_identifiers_insert"):
        PatientIdentifier.objects.create(patient=patient, system="driver", value="D1")
    assert rows_of(desk.get(f"/patients/{patient.pk}/history/"))[0] == [
        ("Identifiers", "Not kept", "Changed")
    ]


def test_a_birth_date_is_shown_as_far_as_it_is_known(desk, patient):
    change(
        patient,
        date_of_birth=datetime(1984, 3, 1, tzinfo=UTC).date(),
        date_of_birth_precision="month",
    )
    newest, _ = rows_of(desk.get(f"/patients/{patient.pk}/history/"))
    assert newest == [("Date of birth", "Not recorded", "Mar-1984")]


def test_a_long_history_comes_in_pages_without_a_gap(desk, patient, django_assert_max_num_queries):
    for number in range(60):
        change(patient, city=f"Town {number}")
    with django_assert_max_num_queries(3):
        changes_of(None, patient)
    first = desk.get(f"/patients/{patient.pk}/history/")
    second = desk.get(f"/patients/{patient.pk}/history/?before={first.context['older']}")
    versions = [change.version for page in (first, second) for change in page.context["changes"]]
    assert versions == list(range(61, 0, -1))
    assert rows_of(first)[-1] == [("City", "Town 9", "Town 10")]
    assert second.context["older"] == ""


@pytest.mark.parametrize("before", ["x", "-1", "9" * 30, "0" * 20 + "1" * 4_400])
def test_a_made_up_page_is_refused(desk, patient, before):
    assert desk.get(f"/patients/{patient.pk}/history/?before={before}").status_code == 400


def test_only_auditors_see_the_request_id(client, front_desk, make_user, patient):
    client.force_login(front_desk)
    form = client.get(f"/patients/{patient.pk}/edit/").context["form"]
    sent = {
        **NO_ROWS,
        "opened": form["opened"].value(),
        "family_name": "Example",
        "given_name": "Jane",
        "sex": "unknown",
        "birth_unknown": "on",
        "city": "York",
    }
    request_id = client.post(f"/patients/{patient.pk}/edit/", sent)["X-Request-Id"]
    address = f"/patients/{patient.pk}/history/"
    assert request_id not in client.get(address).content.decode()
    client.force_login(make_user("auditor"))
    assert request_id in client.get(address).content.decode()


def test_the_record_is_shown_as_it_was_at_the_end_of_a_day(desk, patient):
    change(patient, city="York", phone="555 0100")
    change(patient, city="Boston")
    for version, time in [
        (1, (2024, 4, 1)),
        (2, (2024, 4, 5, 23, 59, 30)),
        (3, (2024, 4, 6, 0, 0, 1)),
    ]:
        move_event(patient, version, datetime(*time, tzinfo=UTC))
    answer = desk.get(f"/patients/{patient.pk}/history/as-it-was/?on=5+apr+2024")
    assert differing_fields(answer) == {"City": ("York", "Boston")}
    assert "as it was at the end of 05-Apr-2024, version 2" in answer.content.decode()
    earlier = desk.get(f"/patients/{patient.pk}/history/as-it-was/?on=5.4.2024&at=14:30")
    assert differing_fields(earlier)["Phone"] == ("Not recorded", "555 0100")
    before = desk.get(f"/patients/{patient.pk}/history/as-it-was/?on=31/3/2024")
    assert "There was no record of this patient yet" in before.content.decode()


@committing
def test_identifiers_are_shown_as_they_were(desk, patient):
    change(patient, identifiers=[{"system": "insurance", "value": "AB12"}])
    change(patient, identifiers=[])
    was = {
        version: f"/patients/{patient.pk}/history/as-it-was/?version={version}"
        for version in (1, 2, 3)
    }
    assert differing_fields(desk.get(was[1])) == {"Passport": ("P1", "Not recorded")}
    assert differing_fields(desk.get(was[2])) == {"Insurance": ("AB12", "Not recorded")}
    assert differing_fields(desk.get(was[3])) == {}


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("on=30/2/2024", "There is no such day."),
        ("on=", "Enter the day."),
        ("on=soon", "Enter a day such as"),
        ("on=1/1/2999", "Enter today or an earlier day."),
        ("on=1/1/2024&at=99", "Enter the time as 14:30"),
    ],
)
def test_a_wrong_day_has_words_of_its_own_and_stays_in_the_box(desk, patient, asked, words):
    answer = desk.get(f"/patients/{patient.pk}/history/as-it-was/?{asked}")
    page = answer.content.decode()
    assert (answer.status_code, words in page) == (422, True)
    assert f'value="{asked.split("&")[0][3:]}"' in page or asked == "on="


def test_looking_back_writes_an_access_record_of_its_own_kind(desk, patient):
    desk.get(f"/patients/{patient.pk}/history/")
    desk.get(f"/patients/{patient.pk}/history/as-it-was/?version=1")
    assert [record.action for record in AccessRecord.objects.order_by("id")] == ["history", "past"]


@pytest.mark.parametrize(
    "page", ["", "edit/", "billing/", "timeline/", "identifiers/", "history/", "label/", "tags/"]
)
def test_a_deleted_record_is_gone_and_an_unknown_one_is_not_found(desk, patient, page):
    Patient.objects.filter(pk=patient.pk).delete()
    gone = desk.get(f"/patients/{patient.pk}/{page}")
    assert (gone.status_code, "was deleted for good" in gone.content.decode()) == (410, True)
    assert desk.get(f"/patients/018f0000-0000-7000-8000-000000000000/{page}").status_code == 404


def test_the_api_says_gone_too(desk_api, patient):
    Patient.objects.filter(pk=patient.pk).delete()
    for address in (f"/api/patients/{patient.pk}", f"/api/patients/{patient.pk}/history"):
        answer = desk_api.get(address)
        assert (answer.status_code, answer.json()["type"]) == (
            410,
            "urn:patient-portal:problem:gone",
        )
