"""An export is of one moment, whatever others change meanwhile, and never a clean short file."""

import csv
import io
import json

import pytest
from django.core.management import CommandError, call_command

from portal.duplicates.merge import merge_patient
from portal.errors import IncompleteExport
from portal.imports import export
from portal.patients import selectors
from portal.patients.models import AccessRecord, Patient, PatientIdentifier, Source
from portal.patients.selectors import every_patient
from portal.patients.services import archive_patient, change_patient, register_patients
from tests.portal.imports.files import import_file

PAGE = 5
CHANGES = {"by": None, "source": Source.COMMAND}


@pytest.fixture
def people(monkeypatch):
    monkeypatch.setattr(selectors, "EXPORT_PAGE", PAGE)
    details = [
        {
            "family_name": f"Person{number:02}",
            "given_name": "Ann",
            "identifiers": [{"system": "ssn", "value": f"90012{number:04}"}],
        }
        for number in range(3 * PAGE)
    ]
    return register_patients(details, **CHANGES)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("text", ["", "person", "ann"])
def test_changes_meanwhile_change_nothing_in_the_file(people, text):
    """Red when a page of the file is read when it is written: then rows are lost or come twice."""
    found = every_patient(None, channel="command", text=text)
    first = [next(found) for _ in range(PAGE)]
    change_patient(people[PAGE - 1].pk, {"family_name": "Zzz"}, **CHANGES)
    change_patient(people[PAGE + 1].pk, {"family_name": "Aaa"}, **CHANGES)
    archive_patient(people[PAGE + 2].pk, **CHANGES)
    merge_patient(people[PAGE + 3].pk, into=people[0].pk, reason="One person.", **CHANGES)
    PatientIdentifier.objects.filter(patient=people[PAGE + 4]).delete()
    rest = [*found]
    assert [row.pk for row in (*first, *rest)] == [patient.pk for patient in people]
    assert [row.family_name for row in rest] == [row.family_name for row in people[PAGE:]]
    held = [[row.value for row in patient.identifiers.all()] for patient in rest]
    assert held == [[f"90012{number:04}"] for number in range(PAGE, 3 * PAGE)]
    recorded = AccessRecord.objects.filter(action="export").values_list("patient_ids", flat=True)
    assert sorted(len(ids) for ids in recorded) == [PAGE] * 3


@pytest.mark.django_db(transaction=True)
def test_access_to_a_page_is_recorded_before_it_leaves(people):
    found = every_patient(None, channel="command")
    next(found)
    assert len(AccessRecord.objects.get(action="export").patient_ids) == PAGE
    found.close()


@pytest.fixture
def losing_rows(people, monkeypatch):
    """Reads all pages but the last, as a fault in reading would."""
    pages = iter([PAGE, PAGE, 0])

    def islice(rows, count):
        return [row for _, row in zip(range(next(pages)), rows, strict=False)]

    monkeypatch.setattr(selectors, "islice", islice)


@pytest.mark.django_db
@pytest.mark.parametrize("form", ["csv", "ndjson"])
def test_a_file_that_lacks_rows_ends_with_an_error(losing_rows, tmp_path, form):
    path = tmp_path / f"out.{form}"
    with pytest.raises(CommandError, match="not complete: 10 of 15 patients were exported"):
        call_command("export_patients", str(path), "--format", form, stderr=io.StringIO())
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]
    *_, last = path.read_text("utf-8-sig").splitlines()
    if form == "csv":
        assert next(csv.reader([last])) == [export.INCOMPLETE]
    else:
        [issue] = json.loads(last)["issue"]
        assert (issue["severity"], issue["diagnostics"]) == ("fatal", export.INCOMPLETE)
    Patient.objects.update(status="archived")
    code, report = import_file(path)
    assert (code, report["rejected"]) == (1, 1)


@pytest.mark.django_db
@pytest.mark.parametrize("form", ["csv", "ndjson"])
def test_a_download_that_lacks_rows_is_broken_off(losing_rows, client, make_user, form):
    client.force_login(make_user("operator"))
    answer = client.get(f"/patients/export.{form}")
    received = []
    with pytest.raises(IncompleteExport):
        received.extend(answer.streaming_content)
    assert export.INCOMPLETE in b"".join(received).decode()


@pytest.mark.django_db
def test_a_killed_export_leaves_no_file_of_that_name(people, tmp_path, monkeypatch):
    path = tmp_path / "out.csv"

    def kill(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(export, "format_cell", kill)
    with pytest.raises(KeyboardInterrupt):
        call_command("export_patients", str(path), stderr=io.StringIO())
    assert not path.exists()
