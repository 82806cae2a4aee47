"""What 0.2.0 stored and today's checks refuse proves nobody, and is taken out with a trace."""

import io

import pytest
from django.core.management import CommandError, call_command

from portal.patients.history.log import read_history
from portal.patients.models import IdentifierChange, Patient, PatientEvent, PatientIdentifier
from tests.portal.imports.files import as_csv, counts, import_file
from tests.portal.patients.test_patients_api import JANE, post

# Each change needs a transaction of its own: all changes of one are one version.
pytestmark = pytest.mark.django_db(transaction=True)
SINCE = {"valid_from": "2001-01-01"}


def stored(*identifiers, **details) -> Patient:
    """Stores a patient past the checks, as an earlier version did."""
    patient = Patient.objects.create(**{"family_name": "Old", "given_name": "Ann", **details})
    for system, value in identifiers:
        PatientIdentifier.objects.create(patient=patient, system=system, value=value, **SINCE)
    return patient


def clean(*options) -> str:
    out = io.StringIO()
    call_command("clean_patients", *options, stdout=out)
    return out.getvalue()


def held(patient) -> list[tuple[str, str]]:
    return sorted(PatientIdentifier.objects.filter(patient=patient).values_list("system", "value"))


def test_nothing_is_changed_before_it_is_asked_for():
    patient = stored(("ssn", "000000000"), ("ssn", "1234"), ("passport", "12E4567"))
    out = clean()
    assert "1 identifiers that prove nothing (stand-in)" in out
    assert "1 identifiers that prove nothing (masked)" in out
    assert "--apply" in out
    assert len(held(patient)) == 3


def test_a_stored_stand_in_is_taken_out_and_stays_in_the_history():
    patient = stored(("ssn", "000000000"), ("passport", "12E4567"))
    assert "1 records cleaned" in clean("--apply")
    assert held(patient) == [("passport", "12E4567")]
    assert str(PatientIdentifier.objects.get().valid_from) == SINCE["valid_from"]
    removed = IdentifierChange.objects.get(patient_id=patient.pk, is_added=False)
    assert (removed.system, removed.value) == ("ssn", "000000000")
    newest = read_history(None, patient.pk, channel="command")[0]
    assert (newest.source, newest.removed[0].value) == ("command", "000000000")
    assert "Nothing to clean." in clean("--apply")


def test_texts_are_cleaned_and_systems_are_one():
    patient = stored(
        ("insurance\u200b", "I1"), ("SSN", "900120004"), given_name="Til\u00adda", city="Leeds "
    )
    clean("--apply")
    patient.refresh_from_db()
    assert (patient.given_name, patient.city) == ("Tilda", "Leeds")
    assert held(patient) == [("insurance", "I1"), ("ssn", "900120004")]
    assert PatientEvent.objects.filter(pgh_obj=patient, given_name="Til\u00adda").exists()


def test_what_another_patient_holds_is_left_for_a_person():
    other = stored(("insurance", "I1"))
    patient = stored(("insurance\u200b", "I1"), ("ssn", "000000000"))
    with pytest.raises(CommandError, match="1 records are left for a person"):
        clean("--apply")
    assert (len(held(patient)), held(other)) == (2, [("insurance", "I1")])


def test_a_merged_record_is_left_as_it_is():
    survivor = stored()
    stored(given_name="Til\u00adda", status="merged", merged_into=survivor)
    assert "Nothing to clean." in clean("--apply")


@pytest.mark.parametrize("number", ["000-00-0000", "000000000", "***-**-1234", "1234", "N/A"])
def test_a_stored_stand_in_proves_no_row_of_a_file(tmp_path, monkeypatch, number):
    monkeypatch.chdir(tmp_path)
    patient = stored(("ssn", "000000000"), ("ssn", "1234"), ("ssn", "NA"))
    path = tmp_path / "people.csv"
    person = {"family_name": "New", "given_name": "Mia", "date_of_birth": "1999-09-09"}
    path.write_text(as_csv(person | {"ssn": number}))
    assert counts(import_file(path)[1]) == {"new": 1}
    patient.refresh_from_db()
    assert (patient.given_name, patient.version) == ("Ann", 4)


def test_a_stored_stand_in_is_no_match_on_the_page(desk):
    stored(("ssn", "000000000"))
    typed = {"family_name": "New", "given_name": "Mia", "identifiers-TOTAL_FORMS": "1"}
    typed |= {"identifiers-INITIAL_FORMS": "0", "identifiers-0-system": "ssn"}
    answer = desk.post("/patients/similar/", typed | {"identifiers-0-value": "000-00-0000"})
    assert answer.status_code == 200
    assert "OLD, Ann" not in answer.content.decode()


def test_the_api_names_no_holder_of_a_stand_in(desk_api):
    stored(("ssn", "000000000"))
    answer = post(desk_api, JANE | {"identifiers": [{"system": "ssn", "value": "000-00-0000"}]})
    assert (answer.status_code, "patientIds" in answer.json()) == (400, False)
