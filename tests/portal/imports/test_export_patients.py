"""An export is imported again without a change, and the access log records it."""

import csv
import io
import json

import pytest
from django.core.management import call_command

from portal.patients import services
from portal.patients.models import AccessRecord, Patient, PatientEvent
from portal.patients.validation import validate_details
from tests.portal.imports.files import counts, import_file

pytestmark = pytest.mark.django_db
FULL = {
    "family_name": "Beispiel",
    "given_name": "Anna",
    "middle_name": "Maria Luise",
    "prefix": "Dr.",
    "suffix": "MSc",
    "preferred_name": "Anni",
    "date_of_birth": "1984-03-01",
    "date_of_birth_precision": "month",
    "sex": "female",
    "email": "anna@example.org",
    "phone": "+1 617 555 0123",
    "address_line1": '=cmd|"/c',
    "address_line2": "Flat 2",
    "city": "-1",
    "region": "'=odd",
    "postal_code": "01940",
    "country": "US",
    "marital_status": "Married",
    "race": "white",
    "ethnicity": "Celtic, mostly",
    "language": "pt-BR",
    "deceased_on": "2020-02-29",
    "registered_on": "2001-01-01",
    "identifiers": [
        {"system": "ssn", "value": "900120004"},
        {"system": "https://x.example/a;b|c", "value": "2"},
        {"system": "club", "value": "3"},
    ],
}


@pytest.fixture
def patients(db):
    people = [
        FULL,
        {"family_name": "Пример", "sex": "other"},
        {"given_name": "Solo", "date_of_birth": "1950-01-01"},
    ]
    return services.register_patients(
        [validate_details(person) for person in people], by=None, source="portal"
    )


@pytest.mark.parametrize("form", ["csv", "ndjson"])
def test_what_is_exported_comes_back_unchanged(patients, file, tmp_path, form):
    path = tmp_path / "out"
    call_command("export_patients", str(path), "--format", form, stderr=io.StringIO())
    assert path.stat().st_mode & 0o777 == 0o600
    events = PatientEvent.objects.count()
    code, report = import_file(path)
    assert (code, counts(report), report["format"]) == (0, {"unchanged": 3}, form)
    assert PatientEvent.objects.count() == events


@pytest.mark.parametrize("form", ["csv", "ndjson"])
def test_another_portal_makes_the_same_people_of_it(patients, file, tmp_path, form):
    path = tmp_path / "out"
    call_command("export_patients", str(path), "--format", form, stderr=io.StringIO())
    columns = [name for name in FULL if name not in ("identifiers", "race")]
    before = sorted(map(str, Patient.objects.values_list(*columns)))
    Patient.objects.all().delete()
    assert counts(import_file(path)[1]) == {"new": 3}
    assert sorted(map(str, Patient.objects.values_list(*columns))) == before
    assert counts(import_file(path)[1]) == {"unchanged": 3}


def test_no_cell_of_the_csv_is_a_formula(patients, capsys):
    call_command("export_patients", stderr=io.StringIO())
    rows = list(csv.reader(io.StringIO(capsys.readouterr().out)))
    assert len(rows) == 4
    assert rows[0][0] == "\ufeffid"  # Excel knows UTF-8 by the mark, and the import reads past it.
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@"))]


def test_a_resource_is_fhir_with_uris_for_systems(patients, capsys):
    call_command("export_patients", "--format", "ndjson", stderr=io.StringIO())
    resources = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    [anna] = [item for item in resources if item["name"][0].get("family") == "Beispiel"]
    assert (anna["resourceType"], anna["birthDate"], anna["active"]) == ("Patient", "1984-03", True)
    assert all(":" in identifier["system"] for identifier in anna["identifier"])


def test_archived_patients_come_only_when_asked_for(patients, capsys):
    services.archive_patient(patients[1].pk, by=None, source="command")
    call_command("export_patients", stderr=io.StringIO())
    assert "Пример" not in capsys.readouterr().out
    call_command("export_patients", "--archived", stderr=io.StringIO())
    assert "Пример" in capsys.readouterr().out


def test_every_patient_exported_is_recorded_as_read(patients, capsys):
    call_command("export_patients", stderr=io.StringIO())
    record = AccessRecord.objects.get()
    assert set(record.patient_ids) == {patient.pk for patient in patients}
