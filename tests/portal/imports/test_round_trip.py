"""What one portal exports, another imports as it was: also days, archived and merged records."""

import io
import json
from pathlib import Path

import pytest
from django.core.management import call_command

from portal.duplicates.merge import merge_patient
from portal.patients import services
from portal.patients.models import Patient, PatientEvent, PatientIdentifier
from portal.patients.validation import validate_details
from tests.portal.imports.files import counts, import_file

pytestmark = pytest.mark.django_db
NUMBERS = [
    {"system": "insurance", "value": "I1", "valid_from": "2018-01-01", "valid_to": "2019-01-01"},
    {"system": "insurance", "value": "I2", "valid_from": "2019-01-02"},
    {"system": "urn:a;b|c", "value": "7", "valid_to": "9999-12-31"},
    {"system": "passport", "value": "P1"},
]
TILDA = {"family_name": "Ormond", "given_name": "Tilda", "date_of_birth": "1984-03-15"}
PEOPLE = [
    {**TILDA, "identifiers": NUMBERS},
    {"family_name": "Rusk", "given_name": "Abel", "deceased_on": "2020-02-29"},
    {"family_name": "Sayle", "given_name": "Vera", "date_of_birth": "1955"},
]
DAYS = ("system", "value", "valid_from", "valid_to")


@pytest.fixture
def people(db):
    details = [validate_details(person) for person in PEOPLE]
    return services.register_patients(details, by=None, source="portal")


@pytest.fixture
def export(tmp_path):
    """Returns a function that exports all patients to a file and returns its path."""

    def run(form):
        path = tmp_path / "out"
        options = ["--format", form, "--archived"]
        call_command("export_patients", str(path), *options, stderr=io.StringIO())
        return path

    return run


def stored():
    columns = ("family_name", "date_of_birth", "date_of_birth_precision", "deceased_on", "status")
    return sorted(map(str, Patient.objects.exclude(status="merged").values_list(*columns)))


def identifiers():
    return sorted(map(str, PatientIdentifier.objects.exclude(system="record-id").values(*DAYS)))


@pytest.mark.parametrize("form", ["csv", "ndjson"])
def test_another_portal_gets_days_and_archived_people_as_they_were(people, file, export, form):
    services.archive_patient(people[2].pk, by=None, source="command")
    path = export(form)
    before = stored(), identifiers()
    events = PatientEvent.objects.count()
    assert counts(import_file(path)[1]) == {"unchanged": 3}
    assert PatientEvent.objects.count() == events
    Patient.objects.all().delete()
    assert counts(import_file(path, "--dry-run")[1]) == {"new": 3}
    assert counts(import_file(path)[1]) == {"new": 3}
    assert (stored(), identifiers()) == before
    assert counts(import_file(path)[1]) == {"unchanged": 3}


@pytest.mark.parametrize("form", ["csv", "ndjson"])
def test_a_merged_record_is_nobody_in_another_portal(people, file, export, form):
    keep, merged, _ = people
    merge_patient(merged.pk, into=keep.pk, by=None, source="command", reason="One person")
    path = export(form)
    Patient.objects.update(merged_into=None, status="active")
    Patient.objects.all().delete()
    code, report = import_file(path)
    assert report["new"] == 2
    assert code == (1 if report["rejected"] else 0)
    assert Patient.objects.filter(family_name="Rusk").count() == 0


def resource(**period):
    number = {"system": "urn:insurer", "value": "I1", "period": period}
    name = [{"family": "Ormond", "given": ["Tilda"]}]
    document = {"resourceType": "Patient", "name": name, "birthDate": "1984-03-15"}
    return json.dumps(document | {"identifier": [number]}) + "\n"


# Each change is a transaction of its own here: within one, a record has one version.
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("form", ["csv", "ndjson"])
def test_days_that_changed_at_the_source_change_here_and_are_told(import_text, form):
    import_text(resource(end="2025-12-31"))
    text = resource(end="2026-06-30")
    if form == "csv":
        text = "family_name,identifiers\nOrmond,urn:insurer|I1||2026-06-30\n"
    tried = import_text(text, "--dry-run", "--changes", "tried.csv")[1]
    done = import_text(text, "--changes", "done.csv")[1]
    assert counts(done) == counts(tried) == {"updated": 1}
    assert done["overwritten"] == tried["overwritten"] == 1
    told = [Path(name).read_text("utf-8") for name in ("tried.csv", "done.csv")]
    assert told[0] == told[1]
    assert "(to 2025-12-31)" in told[0]
    assert "(to 2026-06-30)" in told[0]
    assert str(PatientIdentifier.objects.get(value="I1").valid_to) == "2026-06-30"
    assert counts(import_text(text)[1]) == {"unchanged": 1}
    call_command("import_patients", "--undo", done["job"])
    assert str(PatientIdentifier.objects.get(value="I1").valid_to) == "2025-12-31"


def test_a_number_without_days_takes_none_away(import_text):
    import_text(resource(start="2024-01-01", end="2025-12-31"))
    assert counts(import_text(resource())[1]) == {"unchanged": 1}
    assert counts(import_text(resource(end="2025-12-31"))[1]) == {"unchanged": 1}


@pytest.mark.django_db(transaction=True)
def test_days_that_a_person_set_are_not_set_back_by_a_file(import_text):
    import_text(resource(end="2025-12-31"))
    patient = Patient.objects.get()
    number = {"system": "urn:insurer", "value": "I1", "valid_to": "2026-06-30"}
    details = validate_details({"identifiers": [number]}, partial=True)
    services.change_patient(patient.pk, details, by=None, source="portal")
    report = import_text(resource(end="2025-12-31"))[1]
    assert (counts(report), report["leftAsItIs"]) == ({"unchanged": 1}, 1)
    assert str(PatientIdentifier.objects.get(value="I1").valid_to) == "2026-06-30"


def test_days_of_two_rows_are_the_same_in_trial_and_import(import_text):
    text = resource(end="2025-12-31") + resource(end="2026-06-30")
    tried = import_text(text, "--dry-run")[1]
    done = import_text(text)[1]
    assert counts(tried) == counts(done) == {"new": 1, "updated": 1}
    assert str(PatientIdentifier.objects.get(value="I1").valid_to) == "2026-06-30"
