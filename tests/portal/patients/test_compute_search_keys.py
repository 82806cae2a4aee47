"""Search keys are computed anew in small steps, while others read and write patients."""

import threading
import time

import pytest
from django.db import connection, transaction

from portal.patients.models import Patient, PatientEvent
from portal.patients.triggers import compute_search_keys

pytestmark = pytest.mark.django_db(transaction=True)
COMPUTE = "CALL patients_compute_search_keys(2)"


def run(sql: str) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else []


@pytest.fixture
def outdated():
    """Five patients whose keys were computed by other rules."""
    patients = [
        Patient.objects.create(family_name="Sørensen", given_name=f"Bo{at}", phone="617 555 0131")
        for at in "abcde"
    ]
    trigger = compute_search_keys().get_pgid(Patient)
    run(f"ALTER TABLE patients_patient DISABLE TRIGGER {trigger}")
    run("UPDATE patients_patient SET name_key = '', phone_tail = 'x'")
    run(f"ALTER TABLE patients_patient ENABLE TRIGGER {trigger}")
    return patients


def keys() -> list[tuple]:
    return run("SELECT name_key, phone_tail FROM patients_patient ORDER BY id")


def test_the_keys_follow_the_functions_and_nothing_is_logged(outdated):
    events = PatientEvent.objects.count()
    run(COMPUTE)
    assert keys() == [(f"bo{at} sorensen", "1310555716") for at in "abcde"]
    assert {patient.version for patient in Patient.objects.all()} == {1}
    assert PatientEvent.objects.count() == events


def test_a_patient_whom_somebody_changes_comes_later(outdated):
    """Red when the procedure waits for a row that is locked."""

    def compute():
        run(COMPUTE)
        connection.close()

    others_first = threading.Thread(target=compute)
    with transaction.atomic():
        run(f"UPDATE patients_patient SET city = 'Boston' WHERE id = '{outdated[1].pk}'")
        others_first.start()
        deadline = time.monotonic() + 30
        while [key for key, _ in keys()].count("") > 0 and time.monotonic() < deadline:
            time.sleep(0.05)
        done = keys()
        run(f"UPDATE patients_patient SET family_name = 'Sorensen' WHERE id = '{outdated[1].pk}'")
    others_first.join(30)
    assert not others_first.is_alive()
    assert len([key for key, _ in done if key]) == 5  # Its own key, as its writer sees it.
    assert all(name == f"bo{at} sorensen" for at, (name, _) in zip("abcde", keys(), strict=True))


def test_sql_that_writes_a_key_gets_the_computed_one(outdated):
    run("UPDATE patients_patient SET name_key = 'false'")
    assert {name for name, _ in keys()} == {f"bo{at} sorensen" for at in "abcde"}
