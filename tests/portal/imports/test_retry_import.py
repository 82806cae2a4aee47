"""A failed import is run again from the admin and goes on where it stopped."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.core.files.base import ContentFile

from portal.imports.models import ImportJob, JobStatus
from portal.imports.services import run_job, start_import
from portal.patients.models import Patient

pytestmark = pytest.mark.django_db
FILE = b"family_name,given_name,date_of_birth\nAble,Ann,1990-01-01\nBaker,Ben,1980-01-01\n"


@pytest.fixture
def operator(make_user):
    return make_user("operator", is_staff=True)


@pytest.fixture
def failed(operator, settings, tmp_path):
    """Given up after too many starts; nothing was written yet."""
    settings.DATA_DIR = tmp_path
    job = start_import(ContentFile(FILE, "people.csv"), by=operator)
    ImportJob.objects.filter(pk=job.pk).update(attempts=99)
    run_job(job.pk)
    job.refresh_from_db()
    assert job.status == JobStatus.FAILED
    return job


def run_again(client, job):
    data = {"action": "run_again", "_selected_action": [str(job.pk)]}
    return client.post("/admin/imports/importjob/", data, follow=True).content.decode()


def test_a_failed_import_is_carried_to_its_end(client, operator, failed):
    """Red when the file of a failed import is thrown away."""
    client.force_login(operator)
    assert "people.csv waits for the worker" in run_again(client, failed)
    run_job(failed.pk)
    failed.refresh_from_db()
    assert (failed.status, failed.message, Patient.objects.count()) == (JobStatus.DONE, "", 2)
    assert not failed.path.exists()
    assert LogEntry.objects.get().object_id == str(failed.pk)


def test_without_its_file_it_says_what_to_do(client, operator, failed):
    failed.path.unlink()
    client.force_login(operator)
    assert "Upload it again" in run_again(client, failed)
    failed.refresh_from_db()
    assert failed.status == JobStatus.FAILED


def test_a_finished_import_is_left_alone(client, operator, failed):
    ImportJob.objects.filter(pk=failed.pk).update(status=JobStatus.DONE)
    client.force_login(operator)
    assert "Only an import that failed or waits" in run_again(client, failed)


def test_looking_does_not_give_the_right_to_run_again(client, make_user, failed):
    auditor = make_user("auditor", is_staff=True)
    auditor.user_permissions.add(Permission.objects.get(codename="view_importjob"))
    client.force_login(auditor)
    run_again(client, failed)
    failed.refresh_from_db()
    assert failed.status == JobStatus.FAILED
