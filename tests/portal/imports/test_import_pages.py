"""Imports in the browser: upload, columns, dry run, import, report, rejects."""

import json
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from portal.imports.models import ImportJob, MappingProfile
from portal.imports.profiles import save_profile
from portal.imports.services import run_job, start_import
from portal.patients.models import Patient
from tests.portal.imports.files import ANNA, BEN, as_csv, as_ndjson

pytestmark = pytest.mark.django_db
OWN_WORDS = (
    "Příjmení,Jméno,Narození,Velikost obuvi\n"
    "Beispiel,Anna,1984-03-15,38\n"
    "Sample,Ben,1990-12-01,44\n"
)
MAPPED = {"c0": "family_name", "c1": "given_name", "c2": "date_of_birth", "c3": ""}


@pytest.fixture
def operator(client, make_user, settings, tmp_path):
    settings.DATA_DIR = tmp_path
    client.force_login(make_user("operator"))
    return client


def upload(client, content, name="people.csv"):
    file = SimpleUploadedFile(name, content if isinstance(content, bytes) else content.encode())
    return client.post("/imports/upload/", {"file": file})


def proposed_columns(client, url) -> dict[str, str]:
    """Returns what the page of the columns would send without a change: columns and values."""
    page = client.get(url).content.decode()
    chosen = {}
    for name, options in re.findall(
        r'<select[^>]* name="([cv][\d_]+)".*?>(.*?)</select>', page, re.DOTALL
    ):
        match = re.search(r'value="([a-z_0-9-]+)" selected', options)
        chosen[name] = match.group(1) if match else ""
    return chosen


def run_dry_run(client, content) -> str:
    """Uploads, accepts the proposed columns and runs the dry run; returns its address."""
    url = upload(client, content)["Location"]
    response = client.post(url, proposed_columns(client, url))
    run_job(ImportJob.objects.get(dry_run=True).pk)
    return response["Location"]


def import_content(client, content) -> str:
    """Imports the content by the pages; returns the address of the import."""
    url = client.post(f"{run_dry_run(client, content)}commit/")["Location"]
    run_job(ImportJob.objects.get(dry_run=False).pk)
    return url


def test_a_file_is_mapped_tried_and_then_imported(operator):
    trial = run_dry_run(operator, as_csv(ANNA, BEN))
    report = operator.get(trial).content.decode()
    assert "Nothing is written yet." in report
    assert "family_name becomes family name" in report
    assert not Patient.objects.exists()
    url = operator.post(f"{trial}commit/")["Location"]
    run_job(ImportJob.objects.get(dry_run=False).pk)
    assert "No row was refused." in operator.get(url).content.decode()
    assert Patient.objects.count() == 2


def test_the_columns_page_shows_first_values_and_proposed_fields(operator):
    url = upload(operator, "LAST,First,colour\nBeispiel,Anna,red\nSample,Ben,\n")["Location"]
    page = operator.get(url).content.decode()
    for text in ("Beispiel", "Sample", "Anna", "red", "No column becomes the date of birth, sex."):
        assert text in page
    assert proposed_columns(operator, url) == {"c0": "family_name", "c1": "given_name", "c2": ""}


def test_columns_with_unknown_names_are_read_as_the_user_sets_them(operator):
    url = upload(operator, OWN_WORDS)["Location"]
    assert "None of these columns is known by its name." in operator.get(url).content.decode()
    trial = operator.post(url, MAPPED)["Location"]
    run_job(ImportJob.objects.get().pk)
    assert "Nothing is read from: Velikost obuvi" in operator.get(trial).content.decode()
    operator.post(f"{trial}commit/")
    run_job(ImportJob.objects.get(dry_run=False).pk)
    assert set(Patient.objects.values_list("family_name", flat=True)) == {"Beispiel", "Sample"}


def test_no_dry_run_begins_before_its_columns_are_set(operator):
    upload(operator, as_csv(ANNA))
    job = ImportJob.objects.get()
    assert run_job(job.pk) is None
    assert not ImportJob.objects.free().exists()


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"c0": "", "c1": ""}, "No column becomes a name or an identifier."),
        ({"c1": "family_name"}, "“Příjmení” becomes “Family name” too."),
        ({"c1": "no such field"}, "Choose one of the list."),
    ],
)
def test_wrong_columns_are_named_and_the_choices_stay(operator, changed, words):
    url = upload(operator, OWN_WORDS)["Location"]
    response = operator.post(url, MAPPED | changed)
    page = response.content.decode()
    assert response.status_code == 422
    assert words in page
    assert "Error: Columns of" in page
    assert 'value="date_of_birth" selected' in page
    assert ImportJob.objects.get().status == "mapping"


def test_going_back_to_the_columns_repeats_the_dry_run(operator):
    trial = run_dry_run(operator, as_csv(ANNA, BEN | {"sex": "Q"}))
    assert ImportJob.objects.get().rejected_count == 1
    url = f"{trial}columns/"
    assert proposed_columns(operator, url)["c3"] == "sex"
    operator.post(url, proposed_columns(operator, url) | {"c3": ""})
    run_job(ImportJob.objects.get().pk)
    job = ImportJob.objects.get()
    assert (job.new_count, job.rejected_count, job.rejects.count()) == (2, 0, 0)


def test_saved_columns_come_back_with_the_next_file_of_the_same_header(operator):
    url = upload(operator, OWN_WORDS)["Location"]
    operator.post(url, MAPPED | {"profile_name": "Our old system"})
    again = upload(
        operator, OWN_WORDS.replace("Příjmení", " PŘÍJMENÍ ") + "Third,Tom,1970-01-01,40\n"
    )["Location"]
    page = operator.get(again).content.decode()
    assert "as saved in “Our old system”" in page
    assert proposed_columns(operator, again) == MAPPED
    assert proposed_columns(operator, f"{again}?profile=guess") == dict.fromkeys(MAPPED, "")


def test_names_of_saved_columns_have_no_invisible_characters(operator):
    for name in ("Clinic A", "Clinic\u200b  A\ufeff"):
        save_profile(name, header=["a", "b"], mapping=["family_name", ""], by=None)
    assert [*MappingProfile.objects.values_list("name", flat=True)] == ["Clinic A"]


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
    import_content(operator, as_csv(ANNA))
    trial = ImportJob.objects.get(dry_run=True)
    assert operator.get(f"/imports/{trial.pk}/columns/")["Location"] == f"/imports/{trial.pk}/"
    assert "See the import" in operator.get(f"/imports/{trial.pk}/").content.decode()


def test_importing_twice_from_one_dry_run_makes_one_import(operator):
    trial = run_dry_run(operator, as_csv(ANNA))
    first, second = (operator.post(f"{trial}commit/")["Location"] for _ in range(2))
    assert first == second
    assert ImportJob.objects.filter(dry_run=False).count() == 1


def test_a_file_that_was_imported_before_says_so_up_front(operator):
    import_content(operator, as_csv(ANNA))
    page = operator.get(
        upload(operator, as_csv(ANNA), name="again.csv")["Location"]
    ).content.decode()
    assert "This file was imported on" in page


def test_fhir_has_no_columns_and_gets_its_dry_run_at_once(operator):
    url = upload(
        operator, as_ndjson({"id": "x", "name": [{"family": "Beispiel"}]}), name="people.ndjson"
    )["Location"]
    assert not url.endswith("columns/")
    run_job(ImportJob.objects.get().pk)
    page = operator.get(url).content.decode()
    assert "not needed" in page
    assert "Nothing is written yet." in page
    assert operator.get(f"{url}columns/")["Location"] == url


def test_the_page_counts_what_was_left_out_and_what_the_file_does_not_bring(operator):
    contacts = {"contact": [{}, {}], "name": [{"family": "Ormond", "given": ["Tilda"]}]}
    other = contacts | {"name": [{"family": "Rusk"}], "photo": [{}]}
    entries = [{"resource": {"resourceType": "Patient", **parts}} for parts in (contacts, other)]
    document = {"resourceType": "Bundle", "type": "searchset", "total": 9, "entry": entries}
    url = upload(operator, json.dumps(document), name="people.json")["Location"]
    dry_run = ImportJob.objects.get()
    run_job(dry_run.pk)
    assert ImportJob.objects.get().parts_left_out == {"contact": 4, "photo": 1}
    imported = operator.post(f"{url}commit/")["Location"]
    run_job(ImportJob.objects.get(dry_run=False).pk)
    for address in (url, imported):
        page = operator.get(address).content.decode()
        assert "Left out: 4 contacts, 1 photo" in page
        assert "7 of 9 that this search has found" in page
        assert page.count("Left out: 2 contacts") >= 1


def test_a_refused_row_is_shown_and_comes_as_a_file_with_the_reason(operator):
    url = import_content(operator, as_csv(ANNA, {**BEN, "date_of_birth": "30-02-1990"}))
    assert "There is no such date" in operator.get(url).content.decode()
    rejects = operator.get(f"{url}rejects.csv")
    assert rejects["Content-Disposition"].startswith("attachment")
    lines = b"".join(rejects.streaming_content).decode().splitlines()
    assert lines[0].endswith(",reason")
    assert "30-02-1990" in lines[1]


@pytest.mark.parametrize(
    "content", [b"", b"\x89PNG\r\n\x1a\n" + bytes(64), "A letter about Anna.\nShe is well.\n"]
)
def test_a_file_of_another_kind_is_refused_beside_the_field(operator, content):
    response = upload(operator, content)
    page = response.content.decode()
    assert response.status_code in {413, 422}
    assert "id_file-error" in page
    assert "Error: Imports" in page
    assert not ImportJob.objects.exists()


def test_a_file_over_the_limit_is_refused_beside_the_field(operator, settings):
    settings.IMPORT_MAX_BYTES = 1024**2
    assert "At most 1 MB." in operator.get("/imports/").content.decode()
    response = upload(operator, as_csv(ANNA) + " " * 1024**2)
    assert response.status_code == 413
    assert "The file is larger than 1 MB. Split it." in response.content.decode()
    assert not ImportJob.objects.exists()


def test_a_missing_file_is_asked_for(operator):
    page = operator.post("/imports/upload/", {}).content.decode()
    assert "Choose a file." in page


def test_a_poll_gets_the_report_alone_and_stops_when_it_has_ended(operator):
    columns = upload(operator, as_csv(ANNA))["Location"]
    url = operator.post(columns, proposed_columns(operator, columns))["Location"]
    waiting = operator.get(url, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in waiting
    assert "every 1s" in waiting
    run_job(ImportJob.objects.get().pk)
    assert "every 1s" not in operator.get(url, headers={"HX-Request": "true"}).content.decode()


def test_a_front_desk_sees_no_imports(client, front_desk, settings, tmp_path):
    settings.DATA_DIR = tmp_path
    job = start_import(
        SimpleUploadedFile("people.csv", as_csv(ANNA).encode()), by=None, dry_run=True
    )
    client.force_login(front_desk)
    for url in (
        "/imports/",
        "/imports/columns/",
        f"/imports/{job.pk}/",
        f"/imports/{job.pk}/columns/",
    ):
        assert client.get(url).status_code == 403
    assert upload(client, as_csv(ANNA)).status_code == 403


CODES = "family_name,given_name,gender,dob\nBeispiel,Ana,M,3/4/1984\nSample,Ben,H,7/7/1990\n"


def test_values_are_guessed_shown_and_changed_and_kept_with_the_columns(operator):
    url = upload(operator, CODES)["Location"]
    page = operator.get(url).content.decode()
    assert "What the values mean" in page
    assert re.search(r'name="v2_0".*?value="female" selected', page, re.DOTALL)
    columns = proposed_columns(operator, url)
    unseen = operator.post(url, {name: columns[name] for name in ("c0", "c1", "c2", "c3")})
    assert unseen.status_code == 422
    assert "Look at what the values of the sex mean" in unseen.content.decode()
    chosen = {"v2_0": "other", "v2_1": "empty", "date_order": "MDY", "profile_name": "Clinic"}
    trial = operator.post(url, columns | chosen)["Location"]
    run_job(ImportJob.objects.get(dry_run=True).pk)
    report = operator.get(trial).content.decode()
    assert "March 4, 1984" not in report
    assert "4 March 1984" in report
    operator.post(f"{trial}commit/")
    run_job(ImportJob.objects.get(dry_run=False).pk)
    born = {patient.family_name: patient for patient in Patient.objects.all()}
    assert (born["Beispiel"].sex, str(born["Beispiel"].date_of_birth)) == ("other", "1984-03-04")
    assert born["Sample"].sex == "unknown"
    again = upload(operator, CODES.replace("Ana", "Eva"))["Location"]
    assert re.search(
        r'name="v2_0".*?value="other" selected', operator.get(again).content.decode(), re.DOTALL
    )


def test_a_file_that_proves_its_order_is_not_asked_for_it(operator):
    url = upload(operator, CODES.replace("7/7/1990", "12/31/1990"))["Location"]
    page = operator.get(url).content.decode()
    assert "Dates are read with the month first" in page
    assert "date_order" not in page


def test_the_first_rows_are_told_in_the_order_of_the_form_also_that_one_is_archived(operator):
    name, kin = [{"given": ["Tilda"], "family": "Ormond"}], [{"name": {"family": "Kin"}}]
    held = [{"type": {"text": "Passport"}, "system": "passport", "value": "X1234567"}]
    patient = {"gender": "female", "birthDate": "1984-03-15", "active": False}
    file = as_ndjson(patient | {"name": name, "contact": kin, "identifier": held})
    assert upload(operator, file, "people.ndjson").status_code == 302
    job = ImportJob.objects.get()
    run_job(job.pk)
    job.refresh_from_db()
    labels = [label for label, _ in job.first_rows[0]["fields"]]
    assert labels[:2] == ["Family name", "Given name"]
    assert labels.index("Date of birth") < labels.index("Sex")
    assert ["Status", "Archived"] in job.first_rows[0]["fields"]
    page = operator.get(f"/imports/{job.pk}/").content.decode()
    assert "X1234567" in [value for _, value in job.first_rows[0]["fields"]]
    assert "{&#x27;" not in page
    assert labels[-1] == "Left out"
    assert "<td>resource</td>" not in page


def test_columns_that_the_user_chose_are_not_called_unknown_any_more(operator):
    url = upload(operator, "příjmení,jméno,pohlaví\nIglesias,Hugo,H\nJimenez,Marta,M\n")["Location"]
    assert "None of these columns is known" in operator.get(url).content.decode()
    chosen = {"c0": "family_name", "c1": "given_name", "c2": "sex"}
    page = operator.post(url, chosen)
    assert page.status_code == 422
    assert "None of these columns is known" not in page.content.decode()
    assert "Look at what the values of the sex mean" in page.content.decode()


@pytest.mark.parametrize("profile", ["9" * 5_000, "²", "٣" * 40, "\x00", "-1"])
def test_an_odd_profile_in_the_address_changes_nothing(operator, profile):
    url = upload(operator, OWN_WORDS)["Location"]
    assert operator.get(url, {"profile": profile}).status_code == 200
