"""A date that cannot be is refused by the database; one that is there already stops nobody."""

import pickle
from datetime import date
from importlib import import_module

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction

from portal import health
from portal.duplicates.scans import find_pairs, scan_patients
from portal.errors import InvalidInput
from portal.patients import impossible_dates, services
from portal.patients.models import Patient, PatientEvent, PatientIdentifier
from portal.reconciliation.comparison import _STATEMENTS
from portal.stored_dates import ImpossibleDate
from tests.past_the_checks import without_checks, write_past_the_checks

pytestmark = pytest.mark.django_db

BAD_DAYS = ["19840-03-15", "12026-11-20", "infinity", "-infinity", "0044-03-15 BC", "1720-01-01"]
COLUMNS = ["date_of_birth", "deceased_on", "registered_on", "created_at", "updated_at"]


def register(**details):
    person = {"family_name": "Far", "given_name": "Ada", "date_of_birth": date(1984, 3, 15)}
    return services.register_patient(
        {**person, **details}, by=None, source="portal", override_reason="a test"
    )


@pytest.fixture
def broken():
    """A patient with two dates that cannot be, older than the checks."""
    patient = register()
    write_past_the_checks(patient, date_of_birth="19840-03-15", registered_on="12026-11-20")
    return patient


@pytest.mark.parametrize("day", BAD_DAYS)
@pytest.mark.parametrize("column", COLUMNS)
def test_the_database_refuses_an_impossible_date(column, day):
    columns = {"family_name": "Far", "date_of_birth": None, column: day}
    names, marks = ", ".join(columns), ", ".join(["%s"] * len(columns))
    statement = f"INSERT INTO patients_patient ({names}) VALUES ({marks})"
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, [*columns.values()])


@pytest.mark.parametrize("day", BAD_DAYS)
@pytest.mark.parametrize("column", ["valid_from", "valid_to"])
def test_the_database_refuses_an_impossible_validity(column, day):
    statement = (
        f"INSERT INTO patients_patientidentifier (patient_id, system, value, {column})"
        " VALUES (%s, 'passport', 'X1', %s)"
    )
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, [register().pk, day])


def test_an_identifier_may_be_valid_for_ever():
    PatientIdentifier.objects.create(
        patient=register(), system="passport", value="X1", valid_to="9999-12-31"
    )


@pytest.mark.parametrize("day", BAD_DAYS)
def test_every_reader_gets_the_row_and_the_date_as_it_is_stored(day):
    patient = register()
    write_past_the_checks(patient, date_of_birth=day)
    stored = Patient.objects.get(pk=patient.pk).date_of_birth
    assert stored.isoformat() == day
    assert Patient.objects.values_list("date_of_birth", flat=True).get(pk=patient.pk) == stored
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM patients_patientevent WHERE pgh_obj_id = %s", [patient.pk])
        assert len(cursor.fetchall()) == 2


@pytest.mark.parametrize("moment", ["12026-11-20 10:00", "infinity", "-infinity", "0044-01-01 BC"])
def test_an_impossible_time_is_read_too(moment):
    with without_checks(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO patients_patient (family_name, created_at) VALUES ('Far', %s)", [moment]
        )
    assert Patient.objects.get().created_at.year in (1, 9999)


def test_an_impossible_date_equals_itself_alone_and_can_be_copied():
    far = ImpossibleDate("19840-03-15")
    assert far == ImpossibleDate("19840-03-15") == pickle.loads(pickle.dumps(far))
    assert far not in {ImpossibleDate("19850-03-15"), ImpossibleDate("infinity")}
    assert f"{far:%d-%b-%Y}" == "19840-03-15, which is no possible date"


PAGES = ["", "identifiers/", "label/", "history/", "timeline/", "edit/", "access/"]


@pytest.mark.parametrize("page", PAGES)
def test_each_page_of_the_patient_answers(client, make_user, broken, page):
    client.force_login(make_user("operator", is_staff=True))
    answer = client.get(f"/patients/{broken.pk}/{page}")
    assert answer.status_code == 200


def test_the_overview_says_in_words_that_the_date_cannot_be(client, front_desk, broken):
    client.force_login(front_desk)
    text = client.get(f"/patients/{broken.pk}/").content.decode()
    assert "19840-03-15, which is no possible date" in text
    assert "12026-11-20, which is no possible date" in text
    assert "9999" not in text


def test_search_and_list_show_the_record_among_the_others(client, desk_api, front_desk, broken):
    register(given_name="Ben")
    found = desk_api.get("/api/patients", {"q": "far"}).json()
    assert {row["givenName"] for row in found} == {"Ada", "Ben"}
    client.force_login(front_desk)
    for address in ("/patients/", "/patients/?q=far"):
        page = client.get(address).content.decode()
        assert "19840-03-15, which is no possible date" in page


def test_the_api_gives_no_date_and_a_warning(desk_api, broken):
    body = desk_api.get(f"/api/patients/{broken.pk}").json()
    assert (body["dateOfBirth"], body["registeredDate"]) == (None, None)
    assert body["warnings"] == [
        "The stored day of “Date of birth” is not possible. Correct it first.",
        "The stored day of “Registered on” is not possible. Correct it first.",
    ]


def test_an_impossible_validity_stops_neither_page_nor_api(client, desk_api, front_desk):
    patient = register()
    with without_checks():
        PatientIdentifier.objects.create(
            patient=patient, system="passport", value="X1", valid_to=ImpossibleDate("infinity")
        )
    body = desk_api.get(f"/api/patients/{patient.pk}").json()
    assert [row["validTo"] for row in body["identifiers"]] == [None]
    assert body["warnings"] == ["The validity of an identifier is not possible. Correct it first."]
    client.force_login(front_desk)
    page = client.get(f"/patients/{patient.pk}/identifiers/").content.decode()
    assert "infinity, which is no possible date" in page


def test_another_change_is_refused_with_what_to_correct(desk_api, broken):
    answer = desk_api.patch(f"/api/patients/{broken.pk}", {"city": "Leeds"}, format="json")
    assert answer.status_code == 400
    pointers = [error["pointer"] for error in answer.json()["errors"]]
    assert pointers == ["#/dateOfBirth", "#/registeredDate"]
    with pytest.raises(InvalidInput, match="invalid-input"):
        services.archive_patient(broken.pk, by=None, source="portal")


def correct(patient):
    return services.change_patient(
        patient.pk,
        {"date_of_birth": date(1984, 3, 15), "registered_on": date(2026, 11, 20)},
        by=None,
        source="portal",
    )


def test_the_correction_is_one_change_and_the_history_shows_it(client, make_user, broken):
    correct(broken)
    client.force_login(make_user("operator", is_staff=True))
    text = client.get(f"/patients/{broken.pk}/history/").content.decode()
    assert "19840-03-15, which is no possible date" in text
    assert "15-Mar-1984" in text


def test_the_api_history_has_the_date_as_it_was_stored(api_as, make_user, broken):
    correct(broken)
    history = api_as(make_user("operator")).get(f"/api/patients/{broken.pk}/history").json()
    changes = history[0]["changes"] if isinstance(history, list) else history["items"][0]["changes"]
    births = [change for change in changes if change["field"] == "date_of_birth"]
    assert births == [{"field": "date_of_birth", "old": "19840-03-15", "new": "1984-03-15"}]


def test_duplicate_scans_go_on_with_the_others(broken):
    born = date(1984, 3, 15)
    first, second = (
        Patient.objects.create(family_name="Near", given_name="Ben", date_of_birth=born)
        for _ in range(2)
    )
    figures = find_pairs(lambda _: None)
    assert figures["new"] == 1
    scan_patients([broken.pk, first.pk, second.pk])


def test_two_records_with_impossible_dates_share_no_birth_date(broken):
    other = register(given_name="Ada")
    write_past_the_checks(other, date_of_birth="infinity")
    call_command("find_duplicates", verbosity=0)
    assert Patient.objects.get(pk=other.pk).date_of_birth != (
        Patient.objects.get(pk=broken.pk).date_of_birth
    )


def count_in_readiness():
    impossible_dates._counted.expire()
    check = health.check_records()
    return check.ok, check.figures["impossibleDates"]


def test_readiness_and_the_first_page_of_the_admin_say_it(client, make_user, broken):
    assert count_in_readiness() == (False, 1)
    client.force_login(make_user("operator", is_staff=True))
    page = client.get("/admin/").content.decode()
    assert "1 has a date that cannot be." in page
    correct(broken)
    assert count_in_readiness() == (True, 0)


def test_reconciliation_names_the_patient_and_the_dates(broken):
    with connection.cursor() as cursor:
        cursor.execute(_STATEMENTS["impossible-date"])
        assert cursor.fetchall() == [(broken.pk, None, "date of birth, day of registration")]


def is_proven():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT bool_and(convalidated) FROM pg_constraint WHERE conname ~ '_possible$'"
        )
        return cursor.fetchone()[0]


def test_the_checks_are_proven_once_the_last_record_is_corrected(broken):
    impossible_dates.prove_dates()
    assert not is_proven()
    correct(broken)
    impossible_dates.prove_dates()
    assert is_proven()


def test_the_migration_goes_through_with_a_bad_row_and_says_so(broken, capsys):
    migration = import_module("portal.patients.migrations.0017_prove_dates")

    class Editor:
        def execute(self, statement):
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(statement)

    migration.prove_dates(None, Editor())
    warning = capsys.readouterr().err
    assert "patient_birth_is_possible, patient_registration_is_possible" in warning
    assert "manage.py reconcile" in warning
    assert PatientEvent.objects.filter(pgh_obj_id=broken.pk).count() == 2


def test_the_log_in_the_admin_shows_it_as_none(client, make_user, broken):
    """Red where Django formats it: it would be 31 December 9999."""
    client.force_login(make_user("operator", is_staff=True))
    event = PatientEvent.objects.filter(pgh_obj_id=broken.pk).latest("version")
    page = client.get(f"/admin/patients/patientevent/{event.pk}/change/").content.decode()
    assert "A date that cannot be: 19840-03-15" in page
    assert "A date that cannot be: 12026-11-20" in page
    assert "9999" not in page
    first = PatientEvent.objects.filter(pgh_obj_id=broken.pk).earliest("version")
    page = client.get(f"/admin/patients/patientevent/{first.pk}/change/").content.decode()
    assert "15-Mar-1984" in page


def test_the_form_in_the_admin_shows_it_as_it_is_stored(client, make_user, broken):
    client.force_login(make_user("operator", is_staff=True))
    page = client.get(f"/admin/patients/patient/{broken.pk}/change/").content.decode()
    assert "19840-03-15" in page
    assert "9999" not in page
