"""A trial tells what the import does, whatever rows do to each other, and wherever batches end."""

import pytest
from django.core.files.base import ContentFile
from django.db import connection

from portal.imports import services
from portal.imports.models import ImportJob, Outcome
from portal.imports.pipeline import runner
from portal.patients.models import Patient, Source
from portal.patients.services import register_patient
from portal.patients.validation import validate_details
from tests.portal.imports.files import as_csv, as_ndjson

pytestmark = pytest.mark.django_db
PASSPORT = "P7712345"
KNOWN = {"family_name": "Muster", "given_name": "Eva"}


@pytest.fixture(autouse=True)
def _data_folder(settings, tmp_path):
    settings.DATA_DIR = tmp_path


@pytest.fixture
def known():
    """A patient on record, with a passport and without a date of birth."""
    identifiers = [{"system": "passport", "value": PASSPORT}]
    details = validate_details({**KNOWN, "identifiers": identifiers})
    return register_patient(details, by=None, source=Source.PORTAL)


def told_and_done(*people: dict[str, str]) -> tuple[ImportJob, ImportJob]:
    """Returns the trial and the import of the people."""
    file = ContentFile(as_csv(*people).encode(), "people.csv")
    trial = run(services.start_import(file, by=None, dry_run=True))
    return trial, run(services.apply_dry_run(trial.pk, by=None, duplicate_policy="register"))


def run(job: ImportJob) -> ImportJob:
    services.run_job(job.pk)
    job.refresh_from_db()
    return job


def counts(job: ImportJob) -> dict[str, int]:
    found = {outcome: getattr(job, f"{outcome}_count") for outcome in Outcome.values}
    return {outcome: count for outcome, count in found.items() if count}


def test_a_trial_knows_the_name_that_an_earlier_row_took_away(known):
    married = {"family_name": "Beispiel", "passport": PASSPORT}
    trial, job = told_and_done(married, married | {"city": "Salem"}, KNOWN)
    assert counts(trial) == counts(job) == {"updated": 2, "new": 1}


def test_a_trial_knows_the_name_that_an_earlier_row_gave(known):
    married = {"family_name": "Beispiel", "passport": PASSPORT}
    namesake = {"family_name": "Beispiel", "given_name": "Eva"}
    trial, job = told_and_done(married, married | {"city": "Salem"}, namesake)
    assert counts(trial) == counts(job) == {"updated": 2, "duplicate": 1}


def test_a_trial_sees_likeness_with_what_an_earlier_row_made_of_a_person(known):
    born = {"passport": PASSPORT, "date_of_birth": "1984-03-15"}
    like = {"family_name": "Mustre", "given_name": "Eva", "date_of_birth": "1984-03-15"}
    trial, job = told_and_done(born, born | {"city": "Salem"}, like)
    assert counts(trial) == counts(job) == {"updated": 2, "new": 1}
    assert trial.alike_count == job.alike_count == 1
    assert trial.questions.get(doubt="alike").people == [str(known.pk)]


def test_a_refusal_names_a_person_by_mrn_whom_only_earlier_rows_let_it_find(known):
    married = {"family_name": "Beispiel", "given_name": "Eva", "passport": PASSPORT}
    born = married | {"date_of_birth": "1984-03-15", "ssn": "219-09-9990"}
    other = {"family_name": "Beispiel", "given_name": "Karl", "ssn": "219-09-9990"}
    trial, job = told_and_done(born, born | {"city": "Salem"}, other)
    assert trial.rejects.get().reason == job.rejects.get().reason
    assert f"MRN {known.mrn}" in job.rejects.get().reason


@pytest.mark.parametrize("batch", [1, 2, 500])
def test_a_row_that_repeats_a_refused_one_is_refused_too(monkeypatch, batch):
    monkeypatch.setattr(runner, "BATCH", batch)
    wrong = {"family_name": "Muster", "given_name": "Eva", "passport": PASSPORT}
    first = wrong | {"given_name": "Karl"}
    trial, job = told_and_done(first, wrong, wrong)
    assert counts(trial) == counts(job) == {"new": 1, "rejected": 2}
    assert list(job.rejects.values_list("row_number", flat=True)) == [3, 4]


@pytest.mark.parametrize("batch", [1, 2, 500])
def test_a_row_that_repeats_another_has_a_line_of_its_own(monkeypatch, batch, known):
    monkeypatch.setattr(runner, "BATCH", batch)
    row = {"family_name": "Muster", "passport": PASSPORT, "city": "Salem"}
    trial, job = told_and_done(row, row)
    assert counts(trial) == counts(job) == {"updated": 1, "duplicate": 1}
    rows = job.imported_rows.values_list("row_number", "patient_id")
    assert [*rows] == [(2, known.pk), (3, known.pk)]


@pytest.mark.parametrize("batch", [1, 500])
def test_an_mrn_given_out_by_the_import_itself_is_nobody_in_its_file(monkeypatch, batch):
    monkeypatch.setattr(runner, "BATCH", batch)
    stranger = {"family_name": "Sample", "given_name": "Ben", "mrn": next_mrn()}
    trial, job = told_and_done(KNOWN, stranger)
    assert counts(trial) == counts(job) == {"new": 2}
    assert Patient.objects.filter(mrn=stranger["mrn"], family_name="Muster").exists()


def test_a_row_in_doubt_may_have_identifiers_with_days(known):
    days = {"start": "2020-01-31", "end": "2030-01-31"}
    person = {
        "name": [{"family": "Muster", "given": ["Karl"]}],
        "identifier": [{"system": "passport", "value": PASSPORT, "period": days}],
    }
    file = ContentFile(as_ndjson(person).encode(), "people.ndjson")
    trial = run(services.start_import(file, by=None, dry_run=True))
    assert counts(trial) == {"rejected": 1}
    pair = {"system": "passport", "value": PASSPORT}
    assert trial.questions.get().details["identifiers"] == [pair]


def next_mrn() -> str:
    """Returns the MRN that the next patient gets."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT last_value, is_called FROM patients_mrn_seq")
        before = cursor.fetchone()
        cursor.execute("SELECT patients_next_mrn()")
        [mrn] = cursor.fetchone()
        cursor.execute("SELECT setval('patients_mrn_seq', %s, %s)", before)
    return str(mrn)
