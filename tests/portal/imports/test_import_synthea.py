"""The public Synthea sample: 200 people as CSV and the same people as FHIR resources."""

import json

import pytest

from portal.billing.models import BillingAccount
from portal.imports.services import undo_import
from portal.patients.models import EventOutbox, Patient, PatientEvent, PatientIdentifier
from tests.portal.imports.files import counts, import_file
from tests.portal.imports.snapshots import patients_by_id

pytestmark = pytest.mark.django_db


def test_csv_then_fhir_are_200_people_and_then_nothing_more(synthea):
    csv, ndjson = synthea / "patients.csv", synthea / "Patient.ndjson"
    assert counts(import_file(csv)[1]) == {"new": 200}
    assert counts(import_file(csv)[1]) == {"unchanged": 200}
    code, report = import_file(ndjson)
    assert (code, counts(report)) == (0, {"updated": 200})
    events = PatientEvent.objects.count()
    assert counts(import_file(csv)[1]) == counts(import_file(ndjson)[1]) == {"unchanged": 200}
    assert (PatientEvent.objects.count(), events, Patient.objects.count()) == (400, 400, 200)


@pytest.mark.parametrize("form", ["csv", "ndjson", "bundle"])
def test_the_same_file_again_writes_nothing_at_all(synthea, file, form):
    """The log, the outbox and billing get nothing, and every row is unchanged."""
    path = {"csv": synthea / "patients.csv", "ndjson": synthea / "Patient.ndjson"}.get(
        form
    ) or as_bundle(synthea, file)
    assert counts(import_file(path)[1]) == {"new": 200}
    stores = (Patient, PatientIdentifier, PatientEvent, EventOutbox, BillingAccount)
    before = [list(store.objects.order_by("pk").values()) for store in stores]
    for _ in range(2):
        code, report = import_file(path)
        assert (code, counts(report), report["format"]) == (0, {"unchanged": 200}, form)
    assert [list(store.objects.order_by("pk").values()) for store in stores] == before


def test_an_undone_import_comes_back_as_it_was(synthea):
    csv, ndjson = synthea / "patients.csv", synthea / "Patient.ndjson"
    import_file(csv)
    before = patients_by_id()
    job = import_file(ndjson)[1]["job"]
    after = patients_by_id()
    assert undo_import(job, by=None).undo_restored_count == 200
    assert patients_by_id() == before
    assert counts(import_file(ndjson)[1]) == {"updated": 200}
    assert patients_by_id() == after


def as_bundle(synthea, file):
    resources = [json.loads(line) for line in (synthea / "Patient.ndjson").read_text().splitlines()]
    entries = [{"resource": resource} for resource in resources]
    return file(
        json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}),
        "bundle.json",
    )


def test_fhir_first_makes_the_same_people(synthea):
    assert counts(import_file(synthea / "Patient.ndjson")[1]) == {"new": 200}
    assert counts(import_file(synthea / "patients.csv")[1]) == {"unchanged": 200}


def test_phones_that_are_no_real_numbers_are_kept_as_typed(synthea):
    import_file(synthea / "Patient.ndjson")
    patient = Patient.objects.get(identifiers__value="999221962")
    assert (patient.full_name, patient.phone, patient.phone_e164) == (
        "Mr. Abdul Koepp",
        "555-978-4581",
        "",
    )
    assert (
        patient.identifiers.get(system="record-id").value == "018F428E34F647078009" + "5AD742F901E7"
    )
