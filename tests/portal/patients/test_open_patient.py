"""A record that is opened is read whole by one statement, as the ORM would read it."""

from datetime import date

import pytest
from django.db import connection

from portal.patients.models import AccessRecord, Patient, PatientIdentifier
from portal.patients.selectors import open_patient
from tests.past_the_checks import without_checks

pytestmark = pytest.mark.django_db


@pytest.fixture
def patient():
    patient = Patient.objects.create(
        family_name="Opened", given_name="Ann", date_of_birth=date(1984, 3, 15), city="York"
    )
    days = {"valid_from": date(2020, 2, 29), "valid_to": date(9999, 12, 31)}
    patient.identifiers.create(system="ssn", value="078051120")
    patient.identifiers.create(system="passport", value="X2", **days)
    patient.identifiers.create(system="passport", value="X1")
    return patient


def all_of(row) -> dict:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


def test_it_is_what_the_orm_reads(patient, make_user, django_assert_num_queries):
    user = make_user("operator")
    opened = open_patient(user, patient.pk, channel="portal", action="history")
    assert all_of(opened) == all_of(Patient.objects.get(pk=patient.pk))
    with django_assert_num_queries(0):
        identifiers = [all_of(row) for row in opened.identifiers.all()]
    assert identifiers == [all_of(row) for row in PatientIdentifier.objects.all()]
    [record] = AccessRecord.objects.all()
    assert (record.user, record.patient_ids) == (user, [patient.pk])
    assert (record.action, record.door) == ("history", "portal")


def test_it_may_have_no_identifier(make_user, django_assert_num_queries):
    patient = Patient.objects.create(family_name="Opened")
    opened = open_patient(make_user("operator"), patient.pk, channel="portal")
    with django_assert_num_queries(0):
        assert [*opened.identifiers.all()] == []


@pytest.mark.parametrize("day", ["infinity", "12026-11-20", "0044-03-15 BC"])
def test_an_identifier_with_an_impossible_day_is_read_too(patient, make_user, day):
    written = "UPDATE patients_patientidentifier SET valid_to = %s WHERE value = 'X1'"
    with without_checks(), connection.cursor() as cursor:
        cursor.execute(written, [day])
    opened = open_patient(make_user("operator"), patient.pk, channel="portal")
    assert [str(row.valid_to) for row in opened.identifiers.all()] == [day, "9999-12-31", "None"]
