"""A merged record names its survivor, whatever channel wrote it, and so does the log."""

from importlib import import_module

import pytest
from django.db import IntegrityError, connection, transaction

from portal.patients.models import Patient, PatientEvent, Status

pytestmark = pytest.mark.django_db
CONSTRAINT = "patient_merged_into_another"


@pytest.fixture
def records():
    return [Patient.objects.create(family_name=f"Example{number}") for number in range(2)]


def set_by_sql(patient: Patient, status: str, into: Patient | None) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        values = [status, into and into.pk, patient.pk]
        cursor.execute(
            "UPDATE patients_patient SET status = %s, merged_into_id = %s WHERE id = %s", values
        )


def test_sql_cannot_mark_a_record_merged_without_a_survivor(records):
    patient, other = records
    wrong = [("merged", None), ("active", other), ("archived", other), ("merged", patient)]
    for status, into in wrong:
        with pytest.raises(IntegrityError, match=CONSTRAINT):
            set_by_sql(patient, status, into)


def test_the_log_keeps_the_survivor(records):
    patient, other = records
    set_by_sql(patient, "merged", other)
    event = PatientEvent.objects.get(pgh_obj=patient, version=2)
    assert (event.status, event.merged_into_id) == ("merged", other.pk)


def test_another_survivor_is_a_change_of_its_own(records):
    """Red where the column is not among those that raise the version."""
    patient, other = records
    third = Patient.objects.create(family_name="Third")
    set_by_sql(patient, "merged", other)
    set_by_sql(patient, "merged", third)
    patient.refresh_from_db()
    assert patient.version == 3


def test_a_survivor_cannot_be_deleted_under_its_merged_record(records):
    patient, other = records
    set_by_sql(patient, "merged", other)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        with pytest.raises(IntegrityError):
            cursor.execute("DELETE FROM patients_patient WHERE id = %s", [other.pk])


def test_the_upgrade_archives_records_merged_into_none_and_logs_it(records):
    patient, other = records
    migration = import_module("portal.patients.migrations.0012_merged_into_another")
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"ALTER TABLE patients_patient DROP CONSTRAINT {CONSTRAINT}")
        cursor.execute("UPDATE patients_patient SET status = 'merged' WHERE id = %s", [patient.pk])
        cursor.execute(migration.ARCHIVE_WITHOUT_SURVIVOR)
    patient.refresh_from_db()
    other.refresh_from_db()
    assert (patient.status, patient.version) == (Status.ARCHIVED, 3)
    assert (other.status, other.version) == (Status.ACTIVE, 1)
    assert PatientEvent.objects.get(pgh_obj=patient, version=3).status == Status.ARCHIVED


def test_the_logs_trigger_still_has_the_plan_for_many_rows():
    """Red where a migration writes the trigger anew and does not end as 0009 did."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT proconfig FROM pg_proc JOIN pg_trigger ON tgfoid = pg_proc.oid "
            "WHERE tgrelid = 'patients_patient'::regclass "
            "AND tgname LIKE 'pgtrigger_update_update_%%'"
        )
        assert cursor.fetchall() == [(["enable_nestloop=off"],)]
