"""Saved columns in the command, and in an import that was interrupted."""

import pytest
from django.core.files.base import ContentFile
from django.core.management import CommandError

from portal.errors import Conflict
from portal.imports import file_store, services, table_setup
from portal.imports.models import ImportJob
from portal.imports.pipeline import job_store
from portal.imports.profiles import header_digest_of, save_profile
from portal.patients.models import Patient
from tests.portal.imports.files import as_ndjson, counts, import_file

pytestmark = pytest.mark.django_db
HEADER = ["Nachname", "Vorname", "Telefon", "Telefon"]
MAPPING = ["family_name", "given_name", "", "phone"]


@pytest.fixture
def saved():
    return save_profile("Old system", header=HEADER, mapping=MAPPING, by=None)


def table(rows: int = 1) -> str:
    return "".join(
        [",".join(HEADER) + "\n", *(f"Beispiel{n},Anna,1,02{n:08}\n" for n in range(rows))]
    )


def test_the_command_reads_the_columns_saved_under_a_name(file, saved):
    code, report = import_file(file(table()), "--profile", "old SYSTEM")
    assert (code, counts(report), report["ignoredColumns"]) == (0, {"new": 1}, ["Telefon"])
    assert Patient.objects.get().phone == "0200000000"


def test_the_order_and_case_of_the_columns_do_not_matter(file, saved):
    reordered = "TELEFON,Vorname,nachname,telefon\n1,Anna,Beispiel,0200000000\n"
    import_file(file(reordered), "--profile", "Old system")
    assert (Patient.objects.get().family_name, Patient.objects.get().phone) == (
        "Beispiel",
        "0200000000",
    )
    assert header_digest_of(["TELEFON", "Vorname ", "nachname", "telefon"]) == saved.header_digest


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (table(), "Unknown", "no saved columns"),
        (
            "Vorname,Telefon\nAnna,1\n",
            "Old system",
            "lacks columns that “Old system” reads: nachname, telefon#2",
        ),
        (as_ndjson({"id": "x"}), "Old system", "FHIR has no columns"),
    ],
)
def test_columns_that_do_not_fit_stop_the_command_at_once(file, saved, content, name, words):
    with pytest.raises(CommandError, match=words) as refused:
        import_file(file(content), "--profile", name)
    assert refused.value.returncode == 2
    assert not ImportJob.objects.exists()


def test_a_name_that_is_taken_by_another_kind_of_file_is_refused(saved):
    with pytest.raises(Conflict):
        save_profile("OLD system", header=["other"], mapping=["family_name"], by=None)
    assert (
        save_profile("OLD system", header=HEADER, mapping=["", *MAPPING[1:]], by=None).pk
        == saved.pk
    )


def test_an_interrupted_import_is_resumed_with_the_same_columns(settings, tmp_path, monkeypatch):
    settings.DATA_DIR = tmp_path
    trial = services.start_dry_run(ContentFile(table(1200).encode(), "people.csv"), by=None)
    table_setup.set_columns(trial.pk, MAPPING)
    services.run_job(trial.pk)
    job = services.apply_dry_run(trial.pk, by=None)
    record, calls = job_store.JobProgressStore.record, []

    def fails_in_the_second_batch(self, decisions):
        calls.append(1)
        if len(calls) == 2:
            raise RuntimeError
        return record(self, decisions)

    monkeypatch.setattr(job_store.JobProgressStore, "record", fails_in_the_second_batch)
    with pytest.raises(RuntimeError):
        services.run_job(job.pk)
    assert Patient.objects.count() == 500
    ImportJob.objects.update(leased_until=None)
    services.run_job(job.pk)
    job.refresh_from_db()
    assert (job.status, job.new_count, Patient.objects.exclude(phone="").count()) == (
        "done",
        1200,
        1200,
    )


def test_a_dry_run_whose_columns_were_never_set_fails_in_the_end(settings, tmp_path):
    settings.DATA_DIR = tmp_path
    job = services.start_dry_run(ContentFile(table().encode(), "people.csv"), by=None)
    ImportJob.objects.update(created_at=job.created_at - file_store.TIME_TO_LIVE * 2)
    file_store.delete_old_files()
    job.refresh_from_db()
    assert (job.status, "never set" in job.message) == ("failed", True)


def test_a_running_dry_run_keeps_its_columns(settings, tmp_path):
    settings.DATA_DIR = tmp_path
    job = services.start_dry_run(ContentFile(table().encode(), "people.csv"), by=None)
    table_setup.set_columns(job.pk, MAPPING)
    with pytest.raises(Conflict) as refused:
        table_setup.set_columns(job.pk, MAPPING)
    assert "runs" in refused.value.detail


def test_the_first_values_are_deleted_with_the_file(settings, tmp_path):
    settings.DATA_DIR = tmp_path
    job = services.start_dry_run(ContentFile(table().encode(), "people.csv"), by=None)
    assert job.samples == [["Beispiel0"], ["Anna"], ["1"], ["0200000000"]]
    table_setup.set_columns(job.pk, MAPPING)
    services.run_job(job.pk)
    ImportJob.objects.update(finished_at=job.created_at - file_store.TIME_TO_LIVE * 2)
    file_store.delete_old_files()
    job.refresh_from_db()
    assert (job.samples, job.first_rows, job.column_facts) == ([], [], [])
