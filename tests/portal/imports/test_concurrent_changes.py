"""An import and a desk, or two imports, that bring the same people at once make each of them once.

Without `lock_people` in the import, or without its lock on the patients it changes, these are red.
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


def imported(*rows, name="rows.csv"):
    job = services.start_import(ContentFile(as_csv(*rows).encode(), name), by=None)
    return services.run_job(job.pk)


def register(person):
    try:
        return patients.register_patient(validate_details(person), by=None, source="portal")
    except Conflict as error:
        return error


def in_thread(work, *arguments):
    try:
        return work(*arguments)
    finally:
        connection.close()


def waits_for_a_lock(kind: str) -> bool:
    """Whether a session of this database waits for a lock of this kind."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_stat_clear_snapshot()"
        )  # Else a transaction sees the sessions as they were once.
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock' AND wait_event = %s",
            [kind],
        )
        return cursor.fetchone()[0] > 0


@contextmanager
def others():
    with ThreadPoolExecutor(4) as pool:
        yield lambda work, *arguments: pool.submit(in_thread, work, *arguments)


def test_a_desk_waits_for_the_batch_that_brings_the_same_person(monkeypatch):
    """The import has looked and not written yet when the desk saves."""
    write, found = apply.ApplyRun.write, []

    def desk_first(self, decisions):
        found.append(at_the_desk(register, PEOPLE[0]))
        wait_for(lambda: waits_for_a_lock("advisory") or found[0].done())
        write(self, decisions)

    monkeypatch.setattr(apply.ApplyRun, "write", desk_first)
    with others() as at_the_desk:
        job = imported(*PEOPLE[:3])
        answer = found[0].result()
    assert isinstance(answer, Conflict)
    assert answer.extra["duplicate"]
    assert (job.new_count, Patient.objects.count(), PatientEvent.objects.count()) == (3, 3, 3)


def test_an_import_waits_for_the_desk_that_registers_the_same_person():
    with others() as elsewhere:
        with transaction.atomic():
            register(PEOPLE[1])
            job = elsewhere(imported, *PEOPLE[:3])
            wait_for(lambda: waits_for_a_lock("advisory") or job.done())
        ended = job.result()
    assert (ended.new_count, ended.unchanged_count, Patient.objects.count()) == (2, 1, 3)


def test_two_imports_and_a_desk_in_opposite_orders_make_everyone_once_without_a_deadlock():
    with others() as elsewhere:
        jobs = [elsewhere(imported, *PEOPLE), elsewhere(imported, *reversed(PEOPLE))]
        for person in PEOPLE[::7]:
            register(person)
        ended = [job.result() for job in jobs]
    assert [job.status for job in ended] == ["done", "done"]
    assert Patient.objects.count() == PatientEvent.objects.count() == len(PEOPLE)
    assert sum(job.new_count + job.unchanged_count for job in ended) == 2 * len(PEOPLE)


def test_what_the_desk_changes_between_look_and_write_is_kept(monkeypatch):
    """The desk gives Anna a passport while a batch has decided to give her a driver's licence."""
    imported(ANNA)
    anna, write, found = Patient.objects.get(), apply.ApplyRun.write, []
    passport = validate_details({"identifiers": [{"system": "ssn", "value": "999000001"}, {"system": "passport", "value": "P1"}]}, partial=True)  # fmt: skip  # noqa: E501

    def desk_first(self, decisions):
        found.append(
            at_the_desk(
                lambda: patients.change_patient(anna.pk, passport, by=None, source="portal")
            )
        )
        wait_for(
            lambda: (
                waits_for_a_lock("tuple") or waits_for_a_lock("transactionid") or found[0].done()
            )
        )
        write(self, decisions)

    monkeypatch.setattr(apply.ApplyRun, "write", desk_first)
    with others() as at_the_desk:
        imported(ANNA | {"driver": "D1", "city": "Salem"})
        found[0].result()
    anna.refresh_from_db()
    assert (anna.city, anna.version) == ("Salem", 3)
    assert anna.identifiers.filter(system="passport").exists()
