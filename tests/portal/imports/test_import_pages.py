"""Imports in the browser: upload, columns, trial, import, report, rejects."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from portal.imports.models import ImportJob
from portal.imports.profiles import save_profile
from portal.imports.services import run_job, start_import
from portal.patients.models import Patient
from tests.portal.imports.files import ANNA, BEN, as_csv, as_ndjson

pytestmark = pytest.mark.django_db
OWN_WORDS = "Nachname,Vorname,Geburtstag,Schuhgröße\nBeispiel,Anna,1984-03-15,38\nSample,Ben,1990-12-01,44\n"
MAPPED = {"c0": "family_name", "c1": "given_name", "c2": "date_of_birth", "c3": ""}


@pytest.fixture
def operator(client, make_user, settings, tmp_path):
    settings.DATA_DIR = tmp_path
    client.force_login(make_user("operator"))
    return client


def upload(client, content, name="people.csv"):
    file = SimpleUploadedFile(name, content if isinstance(content, bytes) else content.encode())
    return client.post("/imports/upload/", {"file": file})


def as_guessed(client, place) -> dict[str, str]:
    """What the page of the columns would send as it stands."""
    page = client.get(place).content.decode()
    chosen = {}
    for name, options in re.findall(
        r'<select[^>]* name="(c\d+)".*?>(.*?)</select>', page, re.DOTALL
    ):
        found = re.search(r'value="([a-z_0-9-]+)" selected', options)
        chosen[name] = found.group(1) if found else ""
    return chosen


def tried(client, content) -> str:
    """Upload, take the guess, let the worker try it: the address of the trial."""
    place = upload(client, content)["Location"]
    answer = client.post(place, as_guessed(client, place))
    run_job(ImportJob.objects.get(dry_run=True).pk)
    return answer["Location"]


def imported(client, content) -> str:
    """The whole way: the address of the import."""
    place = client.post(f"{tried(client, content)}commit/")["Location"]
    run_job(ImportJob.objects.get(dry_run=False).pk)
    return place


def test_a_file_is_mapped_tried_and_then_imported(operator):
    trial = tried(operator, as_csv(ANNA, BEN))
    report = operator.get(trial).content.decode()
    assert "Nothing is written yet." in report
    assert "family_name becomes family name" in report
    assert not Patient.objects.exists()
    place = operator.post(f"{trial}commit/")["Location"]
    run_job(ImportJob.objects.get(dry_run=False).pk)
    assert "No row was refused." in operator.get(place).content.decode()
    assert Patient.objects.count() == 2


def test_the_page_of_the_columns_shows_what_stands_in_them_and_what_they_might_become(operator):
    place = upload(operator, "LAST,First,colour\nBeispiel,Anna,red\nSample,Ben,\n")["Location"]
    page = operator.get(place).content.decode()
    for told in ("Beispiel", "Sample", "Anna", "red", "No column becomes the date of birth, sex."):
        assert told in page
    assert as_guessed(operator, place) == {"c0": "family_name", "c1": "given_name", "c2": ""}


def test_columns_that_nobody_knows_are_read_as_a_person_says_by_trial_and_import_alike(operator):
    place = upload(operator, OWN_WORDS)["Location"]
    assert "None of these columns is known by its name." in operator.get(place).content.decode()
    trial = operator.post(place, MAPPED)["Location"]
    run_job(ImportJob.objects.get().pk)
    assert "Nothing is read from: Schuhgröße" in operator.get(trial).content.decode()
    operator.post(f"{trial}commit/")
    run_job(ImportJob.objects.get(dry_run=False).pk)
    assert set(Patient.objects.values_list("family_name", flat=True)) == {"Beispiel", "Sample"}


def test_nothing_is_tried_before_its_columns_are_set(operator):
    upload(operator, as_csv(ANNA))
    job = ImportJob.objects.get()
    assert run_job(job.pk) is None
    assert not ImportJob.objects.free().exists()


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"c0": "", "c1": ""}, "No column becomes a name or an identifier."),
        ({"c1": "family_name"}, "“Nachname” becomes “Family name” too."),
        ({"c1": "no such field"}, "Choose one of the list."),
    ],
)
def test_columns_that_cannot_be_are_said_and_what_was_chosen_stays(operator, changed, words):
    place = upload(operator, OWN_WORDS)["Location"]
    answer = operator.post(place, MAPPED | changed)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert words in page
    assert "Error: Columns of" in page
    assert 'value="date_of_birth" selected' in page
    assert ImportJob.objects.get().status == "mapping"


def test_going_back_to_the_columns_tries_the_file_anew(operator):
    trial = tried(operator, as_csv(ANNA, BEN | {"sex": "Q"}))
    assert ImportJob.objects.get().rejected_count == 1
    place = f"{trial}columns/"
    assert as_guessed(operator, place)["c3"] == "sex"
    operator.post(place, as_guessed(operator, place) | {"c3": ""})
    run_job(ImportJob.objects.get().pk)
    job = ImportJob.objects.get()
    assert (job.new_count, job.rejected_count, job.rejects.count()) == (2, 0, 0)


def test_saved_columns_come_back_with_the_next_file_of_the_same_header(operator):
    place = upload(operator, OWN_WORDS)["Location"]
    operator.post(place, MAPPED | {"profile_name": "Our old system"})
    again = upload(
        operator, OWN_WORDS.replace("Nachname", " NACHNAME ") + "Third,Tom,1970-01-01,40\n"
    )["Location"]
    page = operator.get(again).content.decode()
    assert "as saved in “Our old system”" in page
    assert as_guessed(operator, again) == MAPPED
    assert as_guessed(operator, f"{again}?profile=guess") == dict.fromkeys(MAPPED, "")


def test_saved_columns_are_renamed_and_deleted(operator):
    profile = save_profile("Old", header=["a", "b"], mapping=["family_name", ""], by=None)
    save_profile("Other", header=["a", "c"], mapping=["family_name", ""], by=None)
    page = operator.post(
        f"/imports/columns/{profile.pk}/rename/", {"name": "other"}, follow=True
    ).content.decode()
    assert "Other columns are saved under this name." in page
    page = operator.post(
        f"/imports/columns/{profile.pk}/rename/", {"name": "New"}, follow=True
    ).content.decode()
    assert '<h2 id="profile-' in page
    assert "New" in page
    page = operator.post(f"/imports/columns/{profile.pk}/delete/", follow=True).content.decode()
    assert "New" not in page
    assert "Other" in page


def test_columns_are_not_changed_any_more_once_the_file_was_imported(operator):
    imported(operator, as_csv(ANNA))
    trial = ImportJob.objects.get(dry_run=True)
    assert operator.get(f"/imports/{trial.pk}/columns/")["Location"] == f"/imports/{trial.pk}/"
    assert "See the import" in operator.get(f"/imports/{trial.pk}/").content.decode()


def test_importing_twice_from_one_trial_makes_one_import(operator):
    trial = tried(operator, as_csv(ANNA))
    first, second = (operator.post(f"{trial}commit/")["Location"] for _ in range(2))
    assert first == second
    assert ImportJob.objects.filter(dry_run=False).count() == 1


def test_a_file_that_was_imported_before_says_so_up_front(operator):
    imported(operator, as_csv(ANNA))
    page = operator.get(
        upload(operator, as_csv(ANNA), name="again.csv")["Location"]
    ).content.decode()
    assert "This file was imported on" in page


def test_fhir_has_no_columns_and_is_tried_at_once(operator):
    place = upload(
        operator, as_ndjson({"id": "x", "name": [{"family": "Beispiel"}]}), name="people.ndjson"
    )["Location"]
    assert not place.endswith("columns/")
    run_job(ImportJob.objects.get().pk)
    page = operator.get(place).content.decode()
    assert "not needed" in page
    assert "Nothing is written yet." in page
    assert operator.get(f"{place}columns/")["Location"] == place


def test_a_refused_row_is_shown_and_comes_as_a_file_with_the_reason(operator):
    place = imported(operator, as_csv(ANNA, {**BEN, "date_of_birth": "30-02-1990"}))
    assert "There is no such date" in operator.get(place).content.decode()
    rejects = operator.get(f"{place}rejects.csv")
    assert rejects["Content-Disposition"].startswith("attachment")
    lines = b"".join(rejects.streaming_content).decode().splitlines()
    assert lines[0].endswith(",reason")
    assert "30-02-1990" in lines[1]


@pytest.mark.parametrize(
    "content", [b"", b"\x89PNG\r\n\x1a\n" + bytes(64), "A letter about Anna.\nShe is well.\n"]
)
def test_a_file_of_another_kind_is_refused_beside_the_field(operator, content):
    answer = upload(operator, content)
    page = answer.content.decode()
    assert answer.status_code in {413, 422}
    assert "id_file-error" in page
    assert "Error: Imports" in page
    assert not ImportJob.objects.exists()


def test_a_file_over_the_limit_is_refused_beside_the_field(operator, settings):
    settings.IMPORT_MAX_BYTES = 1024**2
    assert "At most 1 MB." in operator.get("/imports/").content.decode()
    answer = upload(operator, as_csv(ANNA) + " " * 1024**2)
    assert answer.status_code == 413
    assert "The file is larger than 1 MB. Split it." in answer.content.decode()
    assert not ImportJob.objects.exists()


def test_a_missing_file_is_asked_for(operator):
    page = operator.post("/imports/upload/", {}).content.decode()
    assert "Choose a file." in page


def test_a_poll_gets_the_report_alone_and_stops_when_it_has_ended(operator):
    columns = upload(operator, as_csv(ANNA))["Location"]
    place = operator.post(columns, as_guessed(operator, columns))["Location"]
    waiting = operator.get(place, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in waiting
    assert "every 1s" in waiting
    run_job(ImportJob.objects.get().pk)
    assert "every 1s" not in operator.get(place, headers={"HX-Request": "true"}).content.decode()


def test_a_front_desk_sees_no_imports(client, front_desk, settings, tmp_path):
    settings.DATA_DIR = tmp_path
    job = start_import(
        SimpleUploadedFile("people.csv", as_csv(ANNA).encode()), by=None, dry_run=True
    )
    client.force_login(front_desk)
    for place in (
        "/imports/",
        "/imports/columns/",
        f"/imports/{job.pk}/",
        f"/imports/{job.pk}/columns/",
    ):
        assert client.get(place).status_code == 403
    assert upload(client, as_csv(ANNA)).status_code == 403
