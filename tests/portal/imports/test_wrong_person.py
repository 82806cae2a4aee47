"""An identifier that proves nothing, or another person's, never writes over somebody's record."""

import csv

import pytest

from portal.imports.models import Doubt, ImportRemark
from portal.patients.models import Patient, PatientIdentifier
from tests.portal.imports.files import as_csv, as_ndjson, counts, import_file
from tests.portal.imports.test_review_import import apply_and_run, run_dry_run

pytestmark = pytest.mark.django_db
MIA = {
    "family_name": "Doppel",
    "given_name": "Mia",
    "date_of_birth": "2020-05-05",
    "sex": "female",
}
PIA = MIA | {"given_name": "Pia"}


def names() -> list[str]:
    return sorted(Patient.objects.values_list("given_name", flat=True))


@pytest.mark.parametrize("number", ["000-00-0000", "***-**-1234", "not known", "N/A", "-"])
def test_a_second_person_with_the_same_stand_in_is_new(import_text, number):
    import_text(as_csv(MIA | {"ssn": number}))
    code, report = import_text(as_csv(PIA | {"ssn": number}))
    assert (code, counts(report)) == (0, {"new": 1})
    assert (names(), PatientIdentifier.objects.count()) == (["Mia", "Pia"], 0)


def test_a_stand_in_of_a_fhir_resource_is_left_out_too(file):
    for number, given in enumerate(("Mia", "Pia")):
        resource = {
            "resourceType": "Patient",
            "name": [{"family": "Doppel", "given": [given]}],
            "birthDate": "2020-05-05",
            "identifier": [{"system": "https://records.example/ids", "value": "NULL"}],
        }
        code, report = import_file(file(as_ndjson(resource), f"{number}.ndjson"))
        assert (code, counts(report), report["leftOut"]) == (0, {"new": 1}, 1)
    assert names() == ["Mia", "Pia"]


@pytest.mark.parametrize("column", ["ssn", "mrn"])
@pytest.mark.parametrize("number", ["TRUE", "1/1/1984", "15-Jan-84"])
def test_a_date_or_a_word_is_no_identifier_of_the_person(import_text, column, number):
    _, report = import_text(as_csv(MIA | {column: number}))
    assert (counts(report), report["leftOut"]) == ({"new": 1}, 1)
    assert not PatientIdentifier.objects.exists()


def test_the_row_is_told_of_its_stand_in(import_text):
    _, report = import_text(as_csv(MIA | {"ssn": "000-00-0000", "passport": "12E4567"}))
    remark = ImportRemark.objects.get()
    assert (remark.row_number, remark.kind, remark.field) == (2, "omitted", "ssn")
    assert remark.reason == "Left out, since it stands for a number that is not known."
    assert PatientIdentifier.objects.get().value == "12E4567"
    with open(report["changesFile"], encoding="utf-8-sig") as file:
        [row] = csv.DictReader(file)
    assert (row["row"], row["field"], row["new"]) == ("2", "ssn", "000-00-0000")


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"given_name": "Pia"}, "another given name"),
        ({"given_name": "Mira"}, "another given name"),
        ({"date_of_birth": "1990-05-05"}, "another date of birth"),
        ({"date_of_birth": "2020-05-06"}, "another date of birth"),
        ({"family_name": "Anders", "sex": "male"}, "another family name, another sex"),
    ],
)
def test_another_person_of_the_same_number_is_held_back(import_text, changed, reason):
    import_text(as_csv(MIA | {"insurance": "FAM-1"}))
    before = Patient.objects.values().get()
    code, report = import_text(as_csv(MIA | {"insurance": "FAM-1"} | changed))
    assert (code, counts(report)) == (1, {"rejected": 1})
    assert f"who differs ({reason})" in report["firstProblems"][0]["reason"]
    assert Patient.objects.values().get() == before


def test_day_and_month_exchanged_is_a_question(import_text):
    known = MIA | {"ssn": "900-12-8001", "date_of_birth": "1984-03-04"}
    import_text(as_csv(known))
    code, report = import_text(as_csv(known | {"date_of_birth": "1984-04-03"}))
    assert (code, counts(report)) == (1, {"rejected": 1})
    assert "day and month of birth exchanged" in report["firstProblems"][0]["reason"]


@pytest.mark.parametrize(
    "changed",
    [
        {"family_name": "Ledig"},
        {"given_name": "Mia Sophie"},
        {"given_name": "M"},
        {"sex": "other"},
    ],
)
def test_what_changes_in_a_life_is_updated(import_text, changed):
    import_text(as_csv(MIA | {"insurance": "FAM-1"}))
    code, report = import_text(as_csv(MIA | {"insurance": "FAM-1"} | changed))
    assert (code, counts(report)) == (0, {"updated": 1})


def test_a_birth_known_better_is_updated(import_text):
    import_text(as_csv(MIA | {"insurance": "FAM-1", "date_of_birth": "2020"}))
    _, report = import_text(as_csv(MIA | {"insurance": "FAM-1"}))
    assert counts(report) == {"updated": 1}
    remark = ImportRemark.objects.get()
    assert (remark.field, remark.old, remark.new) == ("date_of_birth", "2020", "2020-05-05")


def test_twins_of_one_file_and_one_number_are_decided_by_a_person(import_text):
    trial = run_dry_run(MIA | {"insurance": "FAM-1"}, PIA | {"insurance": "FAM-1"})
    question = trial.questions.get(doubt=Doubt.DIFFERENT_PERSON)
    question.choice, question.reason = "new", "Twin sister"
    question.save()
    job = apply_and_run(trial)
    assert (job.new_count, job.rejected_count, names()) == (2, 0, ["Mia", "Pia"])
    assert PatientIdentifier.objects.get().patient.given_name == "Mia"


def test_a_stand_in_beside_a_wrong_column_is_refused_for_that_column(import_text):
    code, report = import_text(as_csv(MIA | {"ssn": "000-00-0000", "sex": "Q"}))
    assert (code, [problem["column"] for problem in report["firstProblems"]]) == (1, ["sex"])
