"""One index keeps identifiers apart and finds them by value; the upgrade exchanges it in place."""

import psycopg2
import pytest
from django.core.management import call_command
from django.db import IntegrityError, OperationalError, connection, transaction

from portal.patients.models import Patient, PatientIdentifier
from portal.patients.search import numbers

BEFORE = "0020"
INDEX = "one_patient_per_identifier"


def indexes_of_identifiers() -> dict[str, str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexname, indexdef FROM pg_indexes"
            " WHERE tablename = 'patients_patientidentifier'"
        )
        return dict(cursor.fetchall())


def hold_number(value="P1234567", system="passport"):
    patient = Patient.objects.create(family_name="Example")
    return PatientIdentifier.objects.create(patient=patient, system=system, value=value)


def plan_of(query) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    return query.explain()


@pytest.fixture
def before_the_upgrade(transactional_db):
    call_command("migrate", "patients", BEFORE, verbosity=0)
    yield
    call_command("migrate", "patients", verbosity=0)


@pytest.mark.django_db
def test_a_number_without_its_system_is_found_along_the_index():
    hold_number()
    assert INDEX in plan_of(PatientIdentifier.objects.filter(value="P1234567"))
    [found] = numbers.as_identifier("P1234567")
    assert INDEX in plan_of(Patient.objects.filter(found.condition.expression))


@pytest.mark.django_db
def test_two_systems_may_have_the_same_number():
    hold_number()
    hold_number(system="driver")
    with pytest.raises(IntegrityError, match=INDEX), transaction.atomic():
        hold_number()


@pytest.mark.django_db
def test_an_mrn_by_its_beginning_needs_no_index_of_its_own():
    mrn = hold_number().patient.mrn
    beginning = Patient.objects.filter(mrn__startswith=mrn[:4]).order_by()
    assert "patients_patient_mrn_key" in plan_of(beginning)


def test_the_upgrade_keeps_every_number_and_refuses_a_second(before_the_upgrade):
    hold_number()
    call_command("migrate", "patients", verbosity=0)
    assert "(value, system)" in indexes_of_identifiers()[INDEX]
    assert "identifier_by_value" not in indexes_of_identifiers()
    with pytest.raises(IntegrityError, match=INDEX):
        hold_number()


def test_an_upgrade_gives_way_to_a_long_transaction_and_is_run_again(before_the_upgrade):
    held = hold_number()
    other = psycopg2.connect(**connection.get_connection_params() | {"cursor_factory": None})
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT FROM patients_patientidentifier")  # Its lock lasts.
            with pytest.raises(OperationalError, match="lock timeout"):
                call_command("migrate", "patients", verbosity=0)
    finally:
        other.close()
    assert "(system, value)" in indexes_of_identifiers()[INDEX]
    call_command("migrate", "patients", verbosity=0)
    assert list(indexes_of_identifiers()).count("identifier_value_first") == 0
    assert PatientIdentifier.objects.get().pk == held.pk
