"""A merged record says into which one, whatever door wrote it; the log and its seals tell that too."""

from importlib import import_module

import pytest
from django.db import IntegrityError, connection, transaction

from portal.patients.models import Patient, PatientEvent, Status

pytestmark = pytest.mark.django_db
CONSTRAINT = "patient_merged_into_another"


@pytest.fixture
def two():
    return [Patient.objects.create(family_name=f"Example{number}") for number in range(2)]


def set_by_sql(patient: Patient, status: str, into: Patient | None) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        values = [status, into and into.pk, patient.pk]
        cursor.execute(
            "UPDATE patients_patient SET status = %s, merged_into_id = %s WHERE id = %s", values
        )


def test_sql_cannot_mark_a_record_merged_without_a_survivor(two):
    one, other = two
    for status, into in (("merged", None), ("active", other), ("archived", other), ("merged", one)):
        with pytest.raises(IntegrityError, match=CONSTRAINT):
            set_by_sql(one, status, into)


def test_the_log_keeps_the_survivor(two):
    one, other = two
    set_by_sql(one, "merged", other)
    event = PatientEvent.objects.get(pgh_obj=one, version=2)
    assert (event.status, event.merged_into_id) == ("merged", other.pk)


def test_another_survivor_is_a_change_of_its_own(two):
    """Red where the column is not among those that raise the version."""
    one, other = two
    third = Patient.objects.create(family_name="Third")
    set_by_sql(one, "merged", other)
    set_by_sql(one, "merged", third)
    one.refresh_from_db()
    assert one.version == 3


def test_a_survivor_cannot_be_deleted_under_its_merged_record(two):
    one, other = two
    set_by_sql(one, "merged", other)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        with pytest.raises(IntegrityError):
            cursor.execute("DELETE FROM patients_patient WHERE id = %s", [other.pk])


def test_the_upgrade_archives_records_merged_into_none_and_logs_it(two):
    one, other = two
    migration = import_module("portal.patients.migrations.0012_merged_into_another")
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"ALTER TABLE patients_patient DROP CONSTRAINT {CONSTRAINT}")
        cursor.execute("UPDATE patients_patient SET status = 'merged' WHERE id = %s", [one.pk])
        cursor.execute(migration.ARCHIVE_WITHOUT_SURVIVOR)
    for patient, status, version in ((one, Status.ARCHIVED, 3), (other, Status.ACTIVE, 1)):
        patient.refresh_from_db()
        assert (patient.status, patient.version) == (status, version)
    assert PatientEvent.objects.get(pgh_obj=one, version=3).status == Status.ARCHIVED


def test_the_logs_trigger_still_has_the_plan_for_many_rows():
    """Red where a migration writes the trigger anew and does not end as 0009 did."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT proconfig FROM pg_proc JOIN pg_trigger ON tgfoid = pg_proc.oid "
            "WHERE tgrelid = 'patients_patient'::regclass AND tgname LIKE 'pgtrigger_update_update_%%'"
        )
        assert cursor.fetchall() == [(["enable_nestloop=off"],)]
