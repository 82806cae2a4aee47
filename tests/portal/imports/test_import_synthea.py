"""The public Synthea sample: 200 people as CSV and the same people as FHIR resources."""

import pytest

from portal.patients.models import Patient, PatientEvent
from tests.portal.imports.files import counts, import_file

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


def test_fhir_first_makes_the_same_people(synthea):
    assert counts(import_file(synthea / "Patient.ndjson")[1]) == {"new": 200}
    assert counts(import_file(synthea / "patients.csv")[1]) == {"unchanged": 200}


def test_phones_that_are_no_real_numbers_are_kept_as_typed(synthea):
    import_file(synthea / "Patient.ndjson")
    patient = Patient.objects.get(identifiers__value="999221962")
    assert (patient.full_name, patient.phone, patient.phone_e164) == ("Mr. Abdul Koepp", "555-978-4581", "")
    assert patient.identifiers.get(system="record-id").value == "018F428E34F647078009" + "5AD742F901E7"
