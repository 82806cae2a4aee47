"""Imports in the browser: upload, report, rejects."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from portal.imports.models import ImportJob
from portal.imports.services import run_job
from portal.patients.models import Patient
from tests.portal.imports.files import ANNA, BEN, as_csv

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator(client, make_user, settings, tmp_path):
    settings.DATA_DIR = tmp_path
    client.force_login(make_user("operator"))
    return client


def upload(client, content, name="people.csv", mode="try"):
    file = SimpleUploadedFile(name, content if isinstance(content, bytes) else content.encode())
    return client.post("/imports/upload/", {"file": file, "mode": mode})


def test_a_file_is_tried_and_then_imported_from_its_report(operator):
    place = upload(operator, as_csv(ANNA, BEN))["Location"]
    run_job(ImportJob.objects.get().pk)
    report = operator.get(place).content.decode()
    assert "Nothing is written yet." in report
    assert not Patient.objects.exists()

    place = operator.post(f"{place}commit/")["Location"]
    run_job(ImportJob.objects.get(dry_run=False).pk)
    assert "No row was refused." in operator.get(place).content.decode()
    assert Patient.objects.count() == 2


def test_a_refused_row_is_shown_and_comes_as_a_file_with_the_reason(operator):
    place = upload(operator, as_csv(ANNA, {**BEN, "date_of_birth": "30-02-1990"}), mode="now")["Location"]
    run_job(ImportJob.objects.get().pk)
    assert "There is no such date" in operator.get(place).content.decode()
    rejects = operator.get(f"{place}rejects.csv")
    assert rejects["Content-Disposition"].startswith("attachment")
    lines = b"".join(rejects.streaming_content).decode().splitlines()
    assert lines[0].endswith(",reason")
    assert "30-02-1990" in lines[1]


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n" + bytes(64), "colour,size\nred,1\n"])
def test_a_file_of_another_kind_is_refused_beside_the_field(operator, content):
    answer = upload(operator, content)
    page = answer.content.decode()
    assert answer.status_code in {413, 422}
    assert "id_file-error" in page
    assert "Error: Imports" in page
    assert not ImportJob.objects.exists()


def test_a_missing_file_is_asked_for(operator):
    page = operator.post("/imports/upload/", {"mode": "try"}).content.decode()
    assert "Choose a file." in page


def test_a_poll_gets_the_report_alone_and_stops_when_it_has_ended(operator):
    place = upload(operator, as_csv(ANNA))["Location"]
    waiting = operator.get(place, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in waiting
    assert "every 1s" in waiting
    run_job(ImportJob.objects.get().pk)
    assert "every 1s" not in operator.get(place, headers={"HX-Request": "true"}).content.decode()


def test_a_front_desk_sees_no_imports(client, front_desk):
    client.force_login(front_desk)
    assert client.get("/imports/").status_code == 403
    assert upload(client, as_csv(ANNA)).status_code == 403
