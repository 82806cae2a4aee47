"""A job belongs to one process at a time; when that is killed, another resumes the job."""

import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from django.core.files.base import ContentFile
from django.db import OperationalError, connection
from django.utils import timezone
from psycopg2.errors import DiskFull

from portal.imports import selectors, services, tasks
from portal.imports.models import ImportedRow, ImportJob
from portal.imports.pipeline import execution, job_store
from portal.patients.models import Patient, PatientEvent
from tests.portal.imports.files import as_csv
from tests.waits import wait_for

pytestmark = pytest.mark.django_db(transaction=True)
ROWS = 2000
WORKER = """
import django, sys, time
django.setup()
from portal.imports import services
from portal.imports.pipeline import job_store
record_batch = job_store.JobProgressStore.record

def record_slowly(self, decisions):
    record_batch(self, decisions)
    if decisions[0].row.number > 501:
        time.sleep(240)  # The second batch is written and not committed: here it is killed.

job_store.JobProgressStore.record = record_slowly
services.run_job(sys.argv[1])
"""


@pytest.fixture
def job(settings, tmp_path) -> ImportJob:
    settings.DATA_DIR = tmp_path
    content = as_csv(
        *(
            {"family_name": f"Row{n}", "ssn": f"S{n}", "sex": "Q" if n % 50 == 0 else ""}
            for n in range(ROWS)
        )
    )
    return services.start_import(ContentFile(content.encode(), "rows.csv"), by=None)


def expire_lease(job: ImportJob) -> None:
    ImportJob.objects.filter(pk=job.pk).update(leased_until=timezone.now() - timedelta(seconds=1))


def assert_every_row_imported_once(job: ImportJob) -> None:
    job.refresh_from_db()
    assert (job.status, job.new_count, job.rejected_count, job.unchanged_count) == (
        "done",
        ROWS * 49 // 50,
        ROWS // 50,
        0,
    )
    assert (
        Patient.objects.count()
        == PatientEvent.objects.count()
        == ImportedRow.objects.count()
        == job.new_count
    )
    assert job.rejects.count() == job.rejected_count


def test_a_killed_worker_is_followed_by_one_that_resumes_the_job(job, tmp_path):
    url = (
        urlsplit(os.environ["DATABASE_URL"])
        ._replace(path=f"/{connection.settings_dict['NAME']}")
        .geturl()
    )
    environment = os.environ | {"DATABASE_URL": url, "PORTAL_DATA_DIR": str(tmp_path)}
    command = [sys.executable, "-c", WORKER, str(job.pk)]
    with subprocess.Popen(
        command, env=environment, cwd=Path(__file__).resolve().parents[3]
    ) as worker:

        def has_begun() -> bool:
            job.refresh_from_db()
            return job.last_row > 0 or worker.poll() is not None

        try:
            wait_for(has_begun)
        finally:
            worker.kill()
    job.refresh_from_db()
    assert (worker.returncode, job.status, job.last_row) == (-signal.SIGKILL, "running", 501)
    assert services.run_job(job.pk) is None  # The dead worker's lease still holds.
    expire_lease(job)
    assert selectors.jobs_without_process() == [job.pk]
    services.run_job(job.pk)
    assert_every_row_imported_once(job)


def test_a_worker_that_lost_its_lease_writes_nothing_more(job, monkeypatch):
    """Planted bug: the first worker sleeps through its lease before its first batch."""
    batch, asleep = job_store.JobProgressStore.batch, []

    def sleeps_once(self):
        if not asleep:
            asleep.append(self)
            expire_lease(job)
            assert services.run_job(job.pk).status == "done"
        return batch(self)

    monkeypatch.setattr(job_store.JobProgressStore, "batch", sleeps_once)
    assert services.run_job(job.pk) is None
    assert_every_row_imported_once(job)


def test_a_job_keeps_its_lease_while_it_skips_finished_rows(job, monkeypatch):
    """A gigabyte takes longer to read than a lease lasts; no other process may claim the job."""
    ImportJob.objects.filter(pk=job.pk).update(bytes_done=1024**3)
    open_file, leases = execution.open_patients, []

    def open_slowly(*arguments, **options):
        leases.append(ImportJob.objects.get(pk=job.pk).leased_until - timezone.now())
        return open_file(*arguments, **options)

    monkeypatch.setattr(execution, "open_patients", open_slowly)
    services.run_job(job.pk)
    assert leases[0] > timedelta(minutes=5)
    assert_every_row_imported_once(job)


def test_an_unexpected_error_frees_the_job_and_the_next_start_ends_it(job, monkeypatch, capfd):
    calls = []

    def fails_in_the_second_batch(self, decisions):
        calls.append(1)
        if len(calls) == 2:
            raise RuntimeError("Row1 is quoted here")
        return record_batch(self, decisions)

    record_batch = job_store.JobProgressStore.record
    monkeypatch.setattr(job_store.JobProgressStore, "record", fails_in_the_second_batch)
    tasks.run_import(str(job.pk))
    job.refresh_from_db()
    assert (job.status, job.last_row) == ("running", 501)
    assert "is quoted here" not in capfd.readouterr().err
    assert job.leased_until < timezone.now() + timedelta(seconds=11)
    expire_lease(job)
    tasks.run_import(str(job.pk))
    assert_every_row_imported_once(job)


def test_a_job_that_makes_no_progress_is_given_up(job, monkeypatch):
    def fails(self, decisions):
        raise RuntimeError

    monkeypatch.setattr(job_store.JobProgressStore, "record", fails)
    for _ in range(execution.MAX_ATTEMPTS + 1):
        tasks.run_import(str(job.pk))
        expire_lease(job)
    job.refresh_from_db()
    assert (job.status, Patient.objects.count()) == ("failed", 0)
    assert "given up" in job.message


def test_a_job_waits_for_room_on_the_disk_and_is_not_given_up(job, monkeypatch):
    def no_room(self, decisions):
        raise OperationalError from DiskFull()

    with monkeypatch.context() as full:
        full.setattr(job_store.JobProgressStore, "record", no_room)
        for _ in range(execution.MAX_ATTEMPTS + 2):
            tasks.run_import(str(job.pk))
            expire_lease(job)
    tasks.run_import(str(job.pk))
    assert_every_row_imported_once(job)


def test_a_job_whose_file_is_gone_fails_with_words(job):
    job.path.unlink()
    assert "not there any more" in services.run_job(job.pk).message


def test_an_unknown_or_ended_job_is_left_alone(job):
    assert services.run_job(uuid4()) is None
    services.run_job(job.pk)
    assert services.run_job(job.pk) is None
