"""P1: a committed change by any channel leaves a row in log and outbox, a rolled-back one none."""

import pytest
from django.db import connection, transaction

from portal.patients import services
from portal.patients.models import EventOutbox, Patient, PatientEvent, PatientIdentifier

pytestmark = pytest.mark.django_db
JANE = {
    "family_name": "Example",
    "given_name": "Jane",
    "identifiers": [{"system": "ssn", "value": "999112222"}],
}


def log_of(patient: Patient) -> list[tuple[int, str]]:
    events = PatientEvent.objects.filter(pgh_obj_id=patient.pk).order_by("pgh_id")
    assert EventOutbox.objects.filter(event_id__in=[e.pk for e in events]).count() == len(events)
    return [(event.version, event.pgh_label) for event in events]


def test_registering_with_identifiers_is_one_event():
    patient = services.register_patient(JANE, by=None, source="command")
    assert log_of(patient) == [(1, "insert")]


def test_orm_save_bulk_create_update_and_raw_sql_each_leave_one_row():
    saved = Patient.objects.create(family_name="Saved")
    bulk = Patient.objects.bulk_create([Patient(family_name=f"Bulk{n}") for n in range(3)])
    Patient.objects.filter(pk=saved.pk).update(city="Leeds")
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO patients_patient (family_name) VALUES ('Raw') RETURNING id")
        raw = Patient.objects.get(pk=cursor.fetchone()[0])
        cursor.execute("UPDATE patients_patient SET city = 'York' WHERE id = %s", [raw.pk])
    assert log_of(saved) == [(1, "insert"), (2, "update")]
    assert [log_of(patient) for patient in bulk] == [[(1, "insert")]] * 3
    assert log_of(raw) == [(1, "insert"), (2, "update")]


def test_copy_leaves_one_row_for_each_patient(tmp_path):
    rows = tmp_path / "rows.csv"
    rows.write_text("Copied,One\nCopied,Two\n", encoding="utf-8")
    with connection.cursor() as cursor, rows.open() as file:
        cursor.copy_expert("COPY patients_patient (family_name, given_name) FROM STDIN CSV", file)
    copied = Patient.objects.filter(family_name="Copied")
    assert [log_of(patient) for patient in copied] == [[(1, "insert")]] * 2
    assert len({patient.mrn for patient in copied}) == 2


def test_a_save_that_changes_nothing_leaves_no_row():
    patient = services.register_patient(JANE, by=None, source="command")
    patient = Patient.objects.get(pk=patient.pk)
    patient.save()
    services.change_patient(patient.pk, {"given_name": "Jane"}, by=None, source="api")
    assert log_of(patient) == [(1, "insert")]


def test_a_rolled_back_change_leaves_no_row():
    before = PatientEvent.objects.count()
    with transaction.atomic():
        services.register_patient(JANE, by=None, source="command")
        transaction.set_rollback(True)
    assert PatientEvent.objects.count() == before
    assert EventOutbox.objects.count() == before


def test_no_door_can_set_the_version():
    patient = Patient.objects.create(family_name="Example")
    Patient.objects.filter(pk=patient.pk).update(version=40, city="Leeds")
    patient.refresh_from_db()
    assert patient.version == 2


def test_deleting_in_a_shell_is_logged_with_the_last_state():
    patient = Patient.objects.create(family_name="Example")
    Patient.objects.filter(pk=patient.pk).delete()
    assert log_of(patient) == [(1, "insert"), (1, "delete")]


@pytest.mark.parametrize(
    "statement",
    ["UPDATE patients_patientevent SET city = 'x'", "DELETE FROM patients_patientevent"],
)
def test_the_log_refuses_to_be_changed(statement):
    Patient.objects.create(family_name="Example")
    with (
        pytest.raises(Exception, match="pgtrigger"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


@pytest.mark.django_db(transaction=True)
def test_identifiers_raise_the_version_once_alone_or_with_other_fields():
    patient = services.register_patient(JANE, by=None, source="command")
    PatientIdentifier.objects.bulk_create(
        [PatientIdentifier(patient=patient, system="passport", value=f"X{n}") for n in range(5)]
    )
    assert log_of(patient) == [(1, "insert"), (2, "update")]
    services.change_patient(
        patient.pk,
        {"city": "Leeds", "identifiers": [{"system": "driver", "value": "D1"}]},
        by=None,
        source="api",
    )
    assert log_of(patient) == [(1, "insert"), (2, "update"), (3, "update")]


def test_the_log_of_an_update_is_planned_for_many_rows_also_after_one(db):
    """Red without sql/log_trigger_settings.sql, which each `migrate` applies at its end.

    A session that changed one patient would else compare each of 30,000 new rows with each of
    30,000 old ones.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT proconfig FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid"
            " WHERE tgrelid = 'patients_patient'::regclass"
            " AND tgname LIKE 'pgtrigger_update_update_%'"
        )
        assert cursor.fetchall() == [(["enable_nestloop=off"],)]
