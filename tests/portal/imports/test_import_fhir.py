"""What becomes of FHIR Patients that their source does not use, hides, or says too much of."""

import json

import pytest
from django.core.management import call_command

from portal.patients.models import Patient, PatientIdentifier
from tests.portal.imports.files import as_ndjson, counts

pytestmark = pytest.mark.django_db
IDA = {"name": [{"family": "Quarles", "given": ["Ida"]}], "birthDate": "1971-05-09"}
OLD = {**IDA, "active": False, "identifier": [{"system": "urn:x", "value": "1"}]}
NEW = {**IDA, "active": True, "identifier": [{"system": "urn:x", "value": "2"}]}


@pytest.mark.parametrize("options", [(), ("--dry-run",)])
def test_an_unused_record_stands_in_nobodys_way(import_text, options):
    code, report = import_text(as_ndjson(OLD, NEW), *options)
    assert (code, counts(report)) == (0, {"new": 2})
    found = Patient.objects.values_list("identifiers__value", "status").order_by("status")
    assert options or list(found) == [("2", "active"), ("1", "archived")]


@pytest.mark.parametrize("options", [(), ("--dry-run",)])
def test_an_unused_record_never_changes_an_active_patient(import_text, options):
    import_text(as_ndjson(NEW))
    unused = {**NEW, "active": False, "telecom": [{"system": "phone", "value": "617 555 0101"}]}
    code, report = import_text(as_ndjson(unused), *options)
    assert (code, counts(report)) == (1, {"rejected": 1})
    assert "active: false" in report["firstProblems"][0]["reason"]
    assert Patient.objects.get().phone == ""


def test_the_same_unused_record_again_changes_nothing(import_text):
    import_text(as_ndjson(OLD))
    code, report = import_text(as_ndjson({**OLD, "gender": "unknown"}))
    assert (code, counts(report)) == (0, {"unchanged": 1})


def test_an_import_of_an_unused_record_is_undone(import_text):
    _, report = import_text(as_ndjson(OLD))
    call_command("import_patients", "--undo", report["job"])
    assert Patient.objects.get().status == "archived"


def test_an_exported_archived_patient_comes_back_archived_with_its_days(import_text, capsys):
    period = {"start": "2018-01-01", "end": "2019-01-01"}
    insurance = {"system": "urn:insurer", "value": "I1", "period": period}
    import_text(as_ndjson({**OLD, "identifier": [insurance]}))
    capsys.readouterr()
    call_command("export_patients", "--format", "ndjson", "--archived")
    exported = capsys.readouterr().out
    identifiers = {item["value"]: item for item in json.loads(exported)["identifier"]}
    assert identifiers["I1"]["period"] == period
    Patient.objects.all().delete()
    import_text(exported, "--likely", "register")
    assert Patient.objects.get().status == "archived"
    identifier = PatientIdentifier.objects.get(value="I1")
    assert [str(identifier.valid_from), str(identifier.valid_to)] == [*period.values()]


def test_a_known_patient_gets_a_new_identifier_with_its_days(import_text):
    import_text(as_ndjson(NEW))
    added = {"system": "urn:insurer", "value": "I1", "period": {"end": "2019-01-01"}}
    import_text(as_ndjson({**NEW, "identifier": [*NEW["identifier"], added]}))
    assert str(PatientIdentifier.objects.get(value="I1").valid_to) == "2019-01-01"


@pytest.mark.parametrize("options", [(), ("--dry-run",)])
def test_the_report_counts_what_is_left_out_without_values(import_text, options):
    contact = {"contact": [{"name": {"text": "Somebody"}}]}
    email = {"telecom": [{"system": "email", "value": "none"}]}
    code, report = import_text(as_ndjson({**NEW, **contact, **email}), *options)
    parts = {"contact": 1, "e-mail that is not understood": 1}
    assert (code, report["partsLeftOut"]) == (0, parts)
    assert report["partsLeftOutByRow"] == [{"row": 1, "parts": parts}]


def test_the_report_for_people_names_row_and_kinds(file, capsys):
    phones = [{"system": "phone", "value": f"617 555 010{n}"} for n in (1, 2)]
    path = file(as_ndjson({**NEW, "contact": [{}], "telecom": phones}))
    call_command("import_patients", str(path), "--dry-run")
    printed = capsys.readouterr().out
    assert "row 1: Left out: 1 contact, 1 phone" in printed
    assert "617 555" not in printed
