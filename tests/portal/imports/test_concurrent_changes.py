"""An import and a clerk, or two imports, register the same people at once: each person once.

These are red without `lock_people` in the import, or without its lock on the patients it changes.
"""

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from django.core.files.base import ContentFile
from django.db import connection, transaction

from portal.errors import Conflict
from portal.imports import services
from portal.imports.pipeline import apply
from portal.patients import services as patients
from portal.patients.models import Patient, PatientEvent
from portal.patients.validation import validate_details
from tests.portal.imports.files import ANNA, as_csv
from tests.waits import wait_for

pytestmark = pytest.mark.django_db(transaction=True)
PEOPLE = [
    {"family_name": f"Row{n}", "given_name": "Zoe", "date_of_birth": "1990-01-01"}
    for n in range(60)
]


@pytest.fixture(autouse=True)
def _folder(settings, tmp_path):
    settings.DATA_DIR = tmp_path


def run_import(*rows, name="rows.csv"):
    job = services.start_import(ContentFile(as_csv(*rows).encode(), name), by=None)
    return services.run_job(job.pk)


def try_to_register(person):
    try:
        return patients.register_patient(validate_details(person), by=None, source="portal")
    except Conflict as error:
        return error


def run_in_thread(work, *arguments):
    try:
        return work(*arguments)
    finally:
        connection.close()


def has_waiting_lock(kind: str) -> bool:
    """Tells whether a session of this database waits for a lock of this kind."""
    with connection.cursor() as cursor:
        # Without this, a transaction sees the sessions as they were at its first look.
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock' AND wait_event = %s",
            [kind],
        )
        return cursor.fetchone()[0] > 0


@contextmanager
def thread_pool():
    """Yields a function that runs its argument in another thread."""
    with ThreadPoolExecutor(4) as pool:
        yield lambda work, *arguments: pool.submit(run_in_thread, work, *arguments)


def test_a_clerk_waits_for_the_batch_that_has_the_same_person(monkeypatch):
    """The import has looked and not written yet when the clerk saves."""
    write, registrations = apply.ApplyRun.write, []

    def change_before_write(self, decisions):
        registrations.append(run_as_clerk(try_to_register, PEOPLE[0]))
        wait_for(lambda: has_waiting_lock("advisory") or registrations[0].done())
        write(self, decisions)

    monkeypatch.setattr(apply.ApplyRun, "write", change_before_write)
    with thread_pool() as run_as_clerk:
        job = run_import(*PEOPLE[:3])
        refusal = registrations[0].result()
    assert isinstance(refusal, Conflict)
    assert refusal.extra["duplicate"]
    assert (job.new_count, Patient.objects.count(), PatientEvent.objects.count()) == (3, 3, 3)


def test_an_import_waits_for_the_clerk_who_registers_the_same_person():
    with thread_pool() as run_elsewhere:
        with transaction.atomic():
            try_to_register(PEOPLE[1])
            job = run_elsewhere(run_import, *PEOPLE[:3])
            wait_for(lambda: has_waiting_lock("advisory") or job.done())
        ended = job.result()
    assert (ended.new_count, ended.unchanged_count, Patient.objects.count()) == (2, 1, 3)


def test_opposite_orders_register_each_person_once_without_a_deadlock():
    with thread_pool() as run_elsewhere:
        jobs = [run_elsewhere(run_import, *PEOPLE), run_elsewhere(run_import, *reversed(PEOPLE))]
        for person in PEOPLE[::7]:
            try_to_register(person)
        ended = [job.result() for job in jobs]
    assert [job.status for job in ended] == ["done", "done"]
    assert Patient.objects.count() == PatientEvent.objects.count() == len(PEOPLE)
    assert sum(job.new_count + job.unchanged_count for job in ended) == 2 * len(PEOPLE)


def test_a_change_between_lookup_and_write_is_kept(monkeypatch):
    """A clerk gives Anna a passport while a batch is about to give her a driver's licence."""
    run_import(ANNA)
    anna, write, changes = Patient.objects.get(), apply.ApplyRun.write, []
    identifiers = [
        {"system": "ssn", "value": "999000001"},
        {"system": "passport", "value": "P1"},
    ]
    passport = validate_details({"identifiers": identifiers}, partial=True)

    def add_passport():
        patients.change_patient(anna.pk, passport, by=None, source="portal")

    def is_waiting():
        return has_waiting_lock("tuple") or has_waiting_lock("transactionid")

    def change_before_write(self, decisions):
        changes.append(run_as_clerk(add_passport))
        wait_for(lambda: is_waiting() or changes[0].done())
        write(self, decisions)

    monkeypatch.setattr(apply.ApplyRun, "write", change_before_write)
    with thread_pool() as run_as_clerk:
        run_import(ANNA | {"driver": "D1", "city": "Salem"})
        changes[0].result()
    anna.refresh_from_db()
    assert (anna.city, anna.version) == ("Salem", 3)
    assert anna.identifiers.filter(system="passport").exists()
