"""An uploaded file becomes a job: stored privately, run by one process, deleted in the end."""

import io
import os
import time
from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.files.base import ContentFile
from django.utils import timezone
from kombu.exceptions import OperationalError as QueueAway
from openpyxl import Workbook

from portal.celery import app
from portal.errors import Conflict, NotAllowed, NotFound, TooLarge, Unprocessable
from portal.imports import file_store, selectors, services, tasks
from portal.imports.models import ImportJob
from portal.imports.readers import open_patients
from portal.patients.models import Patient, PatientEvent
from tests.portal.imports.files import ANNA, BEN, as_csv

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator(make_user):
    return make_user("operator")


@pytest.fixture
def upload(settings, tmp_path, operator):
    settings.DATA_DIR = tmp_path

    def start(*people, **options) -> ImportJob:
        return services.start_import(
            ContentFile(as_csv(*people).encode(), "my people.csv"), by=operator, **options
        )

    return start


def test_an_upload_waits_for_the_worker_and_its_changes_name_the_user(upload, operator):
    job = upload(ANNA, BEN)
    assert (job.status, job.original_name, job.file_format, job.by) == (
        "waiting",
        "my people.csv",
        "csv",
        operator,
    )
    assert job.path.stat().st_mode & 0o777 == 0o600
    assert job.path.parent.stat().st_mode & 0o777 == 0o700
    assert "people" not in job.path.name
    tasks.run_import(str(job.pk))
    job.refresh_from_db()
    assert (job.status, job.new_count, job.bytes_done) == ("done", 2, job.size_bytes)
    assert PatientEvent.objects.first().pgh_context["user"] == operator.pk
    assert not job.path.exists()


def test_the_nudge_goes_out_after_the_commit_and_carries_the_id_alone(
    upload, django_capture_on_commit_callbacks, monkeypatch
):
    sent = []
    monkeypatch.setattr(app, "send_task", lambda name, **more: sent.append((name, more["args"])))
    with django_capture_on_commit_callbacks(execute=True):
        job = upload(ANNA)
        assert sent == []
    assert sent == [("imports.run_import", (str(job.pk),))]


def test_a_queue_that_is_away_does_not_lose_the_job(
    upload, django_capture_on_commit_callbacks, monkeypatch
):
    def fail(*_, **__):
        raise QueueAway

    monkeypatch.setattr(app, "send_task", fail)
    with django_capture_on_commit_callbacks(execute=True):
        job = upload(ANNA)
    nudged = []
    monkeypatch.setattr(tasks, "wake_worker", nudged.append)
    tasks.resume_waiting()
    assert nudged == [job.pk]


def test_a_file_over_the_limit_is_refused_and_leaves_nothing(upload, settings, tmp_path):
    settings.IMPORT_MAX_BYTES = 50
    with pytest.raises(TooLarge):
        upload(ANNA)
    assert list((tmp_path / "imports").iterdir()) == []
    assert not ImportJob.objects.exists()


def test_a_file_that_cannot_be_read_is_refused_at_once_with_what_to_do(
    settings, tmp_path, operator
):
    settings.DATA_DIR = tmp_path
    with pytest.raises(Unprocessable) as refused:
        services.start_import(ContentFile(b"PK\x03\x04", "people.xlsx"), by=operator)
    assert "CSV UTF-8" in refused.value.detail
    assert list((tmp_path / "imports").iterdir()) == []


def test_a_workbook_with_a_letter_that_cannot_be_stored_is_looked_at(settings, tmp_path, operator):
    settings.DATA_DIR = tmp_path
    book, content = Workbook(), io.BytesIO()
    for row in (["family_name", "given_name", "re_x0000_mark"], ["Beispiel", "A_x0000_a", "x"]):
        book.active.append(row)
    book.save(content)
    job = services.start_dry_run(ContentFile(content.getvalue(), "people.xlsx"), by=operator)
    assert (job.header[2], job.samples[1]) == ("re\ufffdmark", ["A\ufffda"])
    [row] = open_patients(job.path).rows()
    assert row.problems


def test_a_dry_run_of_an_upload_counts_and_can_then_be_imported(upload, operator):
    job = upload(ANNA, BEN | {"sex": "Q"}, dry_run=True)
    with pytest.raises(Conflict):
        services.apply_dry_run(job.pk, by=operator)
    tasks.run_import(str(job.pk))
    job.refresh_from_db()
    assert (job.status, job.new_count, job.rejected_count, Patient.objects.count()) == (
        "done",
        1,
        1,
        0,
    )
    real = services.apply_dry_run(job.pk, by=operator)
    tasks.run_import(str(real.pk))
    assert Patient.objects.count() == 1
    assert "".join(selectors.rejects_csv(real)) == "".join(selectors.rejects_csv(job))


def test_progress_tells_pace_and_time_left(upload, monkeypatch):
    job = upload(ANNA)
    assert (selectors.job_progress(job).percent, selectors.job_progress(job).seconds_left) == (
        0,
        None,
    )
    now = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: now)
    job.status, job.started_at = "running", now - timedelta(seconds=10)
    job.size_bytes, job.bytes_done, job.new_count, job.rows_before = 1000, 250, 600, 100
    progress = selectors.job_progress(job)
    assert (
        progress.percent,
        progress.rows_per_second,
        progress.rows_read,
        progress.seconds_left,
    ) == (25, 50, 600, 36)


def test_files_of_ended_jobs_are_forgotten_after_a_week(upload):
    old, fresh, waiting = upload(ANNA, dry_run=True), upload(ANNA, dry_run=True), upload(BEN)
    for job in (old, fresh):
        tasks.run_import(str(job.pk))
    long_ago = timezone.now() - file_store.TIME_TO_LIVE - timedelta(hours=1)
    ImportJob.objects.filter(pk=old.pk).update(finished_at=long_ago)
    for job in (old, fresh, waiting):
        os.utime(job.path, (time.time(), long_ago.timestamp()))
    tasks.delete_old_files()
    assert [job.path.exists() for job in (old, fresh, waiting)] == [False, True, True]


def test_only_those_with_the_right_see_imports(upload, front_desk, operator):
    job = upload(ANNA)
    assert selectors.get_job(operator, job.pk) == job
    with pytest.raises(NotAllowed):
        selectors.get_job(front_desk, job.pk)
    with pytest.raises(NotFound):
        selectors.get_job(operator, uuid4())
