"""The outcome of rows: new, updated, unchanged, duplicate or rejected, entirely or not at all."""

import csv
import json
from datetime import date

import pytest

from portal.duplicates.merge import merge_patient
from portal.imports.matching.lookup import ExistingPatients
from portal.imports.models import ImportReject
from portal.imports.pipeline.apply import ApplyRun
from portal.patients import services
from portal.patients.models import EventOutbox, Patient, PatientEvent
from tests.portal.imports.files import ANNA, BEN, as_csv, as_ndjson, counts

pytestmark = pytest.mark.django_db
TOO_LONG = "A1" * 60  # For an identifier.
UUID = "018f428e-34f6-4707-8009-5ad742f901e7"


def names_and_cities() -> list[tuple[str, str]]:
    return sorted(Patient.objects.values_list("given_name", "city"))


def test_people_are_registered_with_their_identifiers_in_one_event_each(import_text):
    code, report = import_text(as_csv(ANNA, BEN))
    assert (code, counts(report)) == (0, {"new": 2})
    anna = Patient.objects.get(given_name="Anna")
    assert (anna.date_of_birth, anna.sex, anna.source, anna.phone_e164) == (
        date(1984, 3, 15),
        "female",
        "import",
        "+16175550123",
    )
    assert anna.identifiers.values_list("system", "value").get() == ("ssn", "999000001")
    assert PatientEvent.objects.filter(pgh_obj_id=anna.pk).values_list(
        "pgh_label", "version"
    ).get() == ("insert", 1)
    assert EventOutbox.objects.count() == 2


def test_the_log_names_the_import(import_text):
    _, report = import_text(as_csv(ANNA))
    assert PatientEvent.objects.get().pgh_context == {
        "user": None,
        "source": "import",
        "import_job": report["job"],
    }


def test_the_same_file_again_changes_nothing(import_text):
    content = as_csv(
        ANNA,
        BEN,
        {"family_name": "Nameless"},
        {"family_name": "Plain", "date_of_birth": "1970-01-01"},
    )
    import_text(content)
    events = PatientEvent.objects.count()
    code, report = import_text(content)
    assert (code, counts(report)) == (0, {"unchanged": 4})
    assert PatientEvent.objects.count() == events


def test_a_known_identifier_updates_only_what_the_row_carries_and_differs(import_text):
    import_text(as_csv(ANNA | {"city": "Boston", "email": "anna@example.org", "passport": "X1"}))
    code, report = import_text(
        as_csv({"ssn": "999 00 0001", "city": "Salem", "email": "", "driver": "S1"})
    )
    assert (code, counts(report)) == (0, {"updated": 1})
    anna = Patient.objects.get()
    assert (anna.city, anna.email, anna.family_name, anna.version) == (
        "Salem",
        "anna@example.org",
        "Beispiel",
        2,
    )
    assert {identifier.system for identifier in anna.identifiers.all()} == {
        "ssn",
        "passport",
        "driver",
    }


def test_unknown_sex_and_a_vaguer_birth_date_change_nothing(import_text):
    import_text(as_csv(ANNA, BEN | {"date_of_birth": "1990"}))
    _, report = import_text(
        as_csv({"ssn": ANNA["ssn"], "sex": "unknown", "date_of_birth": "1984-03"}, BEN)
    )
    assert counts(report) == {"unchanged": 1, "updated": 1}
    assert Patient.objects.get(given_name="Anna").sex == "female"
    assert Patient.objects.get(given_name="Ben").date_of_birth == date(1990, 12, 1)


def test_identifiers_of_two_patients_are_a_conflict(import_text):
    import_text(as_csv(ANNA, BEN | {"passport": "X2"}))
    code, report = import_text(as_csv(ANNA | {"passport": "X2", "city": "Salem"}))
    assert (code, counts(report)) == (1, {"rejected": 1})
    assert "different patients" in report["firstProblems"][0]["reason"]
    assert names_and_cities() == [("Anna", ""), ("Ben", "")]


def test_a_row_never_writes_over_another_person_who_holds_its_identifier(import_text):
    import_text(as_csv(ANNA))
    code, report = import_text(as_csv(BEN | {"ssn": ANNA["ssn"]}))
    assert (code, counts(report)) == (1, {"rejected": 1})
    assert names_and_cities() == [("Anna", "")]


def test_a_married_name_under_a_known_identifier_is_an_update(import_text):
    import_text(as_csv(ANNA))
    _, report = import_text(as_csv(ANNA | {"family_name": "Neumann"}))
    assert counts(report) == {"updated": 1}


@pytest.mark.parametrize("between", [0, 600])
def test_a_person_twice_in_a_file_counts_once_and_may_not_contradict(import_text, between):
    others = [{"family_name": f"Filler{n}", "ssn": f"F{n}"} for n in range(between)]
    content = as_csv(ANNA, *others, ANNA, ANNA | {"city": "Salem"}, ANNA | {"city": "Boston"})
    code, report = import_text(content)
    assert (code, counts(report)) == (
        1,
        {"new": 1 + between, "duplicates": 1, "updated": 1, "rejected": 1},
    )
    assert report["firstProblems"] == [
        {
            "row": between + 5,
            "column": "city",
            "reason": "Row 2 of this file has another value for the same patient.",
        }
    ]
    assert Patient.objects.get(given_name="Anna").city == "Salem"


def test_a_namesake_without_identifiers_is_refused_or_allowed(import_text):
    plain = {
        "family_name": "Beispiel",
        "given_name": "Ánna",
        "date_of_birth": "1984-03-15",
        "city": "Salem",
    }
    import_text(as_csv(ANNA))
    code, report = import_text(as_csv(plain))
    assert (code, counts(report)) == (1, {"rejected": 1})
    assert f"MRN {Patient.objects.get().mrn} has this name" in report["firstProblems"][0]["reason"]
    for expected in ({"new": 1}, {"unchanged": 1}):
        assert counts(import_text(as_csv(plain), "--allow-duplicates")[1]) == expected


def test_our_own_mrn_finds_the_patient_and_a_foreign_one_is_kept(import_text):
    import_text(as_csv(ANNA))
    anna = Patient.objects.get()
    content = as_csv(
        {"mrn": anna.mrn, "family_name": "Beispiel", "city": "Salem"},
        {"mrn": "OLD-7", "family_name": "Sample"},
    )
    assert counts(import_text(content)[1]) == {"updated": 1, "new": 1}
    assert not anna.identifiers.filter(system="mrn-other").exists()
    assert counts(import_text(content)[1]) == {"unchanged": 2}


def test_an_archived_patient_is_refused_unless_nothing_is_new(import_text):
    import_text(as_csv(ANNA))
    services.archive_patient(Patient.objects.get().pk, by=None, source="command")
    assert counts(import_text(as_csv(ANNA))[1]) == {"unchanged": 1}
    _, report = import_text(as_csv(ANNA | {"city": "Salem"}))
    assert "archived" in report["firstProblems"][0]["reason"]


def test_a_row_about_a_merged_record_is_refused_and_says_where_to_look(import_text):
    import_text(as_csv(ANNA, BEN))
    anna, ben = Patient.objects.order_by("family_name")
    merge_patient(ben.pk, into=anna.pk, by=None, source="command", reason="Seen together")
    _, report = import_text(
        as_csv({"mrn": ben.mrn, "family_name": ben.family_name, "city": "Salem"})
    )
    assert "merged. Open that record" in report["firstProblems"][0]["reason"]


def test_every_problem_of_a_row_is_reported_and_good_rows_come_in(import_text, tmp_path):
    bad = ANNA | {
        "date_of_birth": "1984-02-30",
        "sex": "X",
        "email": "nowhere",
        "ssn": TOO_LONG,
        "city": "=HYPERLINK(1)",
    }
    code, report = import_text(as_csv(bad, BEN))
    assert (code, counts(report)) == (1, {"new": 1, "rejected": 1})
    problems = [problem for reject in ImportReject.objects.all() for problem in reject.problems]
    wrong = {problem["column"]: problem["value"] for problem in problems}
    assert {problem["column"] for problem in report["firstProblems"]} == set(wrong)
    assert wrong == {"date_of_birth": "1984-02-30", "sex": "X", "email": "nowhere", "ssn": TOO_LONG}
    rejects = tmp_path / "people.csv.rejects.csv"
    assert rejects.stat().st_mode & 0o777 == 0o600
    header, row = csv.reader(rejects.open(encoding="utf-8-sig"))
    assert header == [*bad, "reason"]
    assert row[:-1] == [*list(bad.values())[:-1], "'=HYPERLINK(1)"]
    assert row[-1].startswith('Row 2: date_of_birth "1984-02-30": There is no such date.')
    reject = ImportReject.objects.get()
    assert (reject.row_number, len(reject.problems), reject.raw) == (2, 4, list(bad.values()))


def test_a_mended_rejects_file_can_be_imported_as_it_is(import_text, tmp_path):
    import_text(as_csv(ANNA | {"date_of_birth": "1984-02-30", "city": "+town"}))
    mended = (
        (tmp_path / "people.csv.rejects.csv")
        .read_text(encoding="utf-8")
        .replace("1984-02-30", "1984-02-28")
    )
    assert counts(import_text(mended)[1]) == {"new": 1}
    assert names_and_cities() == [("Anna", "+town")]


def test_fhir_lines_that_are_refused_come_back_with_the_whole_resource(import_text, tmp_path):
    content = as_ndjson({"name": [{"family": "Beispiel"}], "birthDate": "1984-02-30"}) + "broken\n"
    code, report = import_text(content)
    assert (code, counts(report)) == (1, {"rejected": 2})
    first = report["firstProblems"][0]
    assert (first["row"], first["column"]) == (1, "birthDate")
    assert "value" not in first
    _, first, second = csv.reader((tmp_path / "people.csv.rejects.csv").open(encoding="utf-8"))
    assert json.loads(first[0])["birthDate"] == "1984-02-30"
    assert second[0] == "broken"


def test_a_row_that_only_the_database_refuses_costs_only_itself(import_text, monkeypatch):
    """Planted bug: the lookup misses Anna, as in a race; the batch fails and goes row by row."""
    import_text(as_csv(ANNA))
    monkeypatch.setattr(ApplyRun, "find_patients", lambda self, rows: ExistingPatients())
    code, report = import_text(as_csv(ANNA | {"given_name": "Änna"}, BEN))
    assert (code, counts(report)) == (1, {"rejected": 1, "new": 1})
    assert "belongs to another patient" in report["firstProblems"][0]["reason"]
    assert PatientEvent.objects.count() == 2
