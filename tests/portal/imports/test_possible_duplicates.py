"""New people who may be registered already under another spelling: listed, then decided."""

import re

import pytest
from django.core.files.base import ContentFile

from portal.imports import services
from portal.imports.models import ImportJob, ImportReject
from portal.imports.review import count_undecided, save_choice_for_rest
from portal.patients.models import PairState, Patient, PatientEvent, PossibleDuplicate, Source
from portal.patients.services import register_patient
from portal.patients.validation import validate_details
from tests.portal.imports.files import ANNA, BEN, as_csv, counts

pytestmark = pytest.mark.django_db
# The family name is one letter off that of ANNA, who is on record.
ANNE = {
    "family_name": "Beispeil",
    "given_name": "Anna",
    "date_of_birth": "1984-03-15",
    "city": "Salem",
}
REASONS = "one letter off in the family name, same given name, same date of birth"


@pytest.fixture
def anna(operator):
    return register(ANNA | {"ssn": ""}, by=operator)


def register(person, *, by=None):
    details = {name: value for name, value in person.items() if name != "ssn"}
    return register_patient(validate_details(details), by=by, source=Source.PORTAL)


def run_dry_run(*people) -> ImportJob:
    job = services.start_import(
        ContentFile(as_csv(*people).encode(), "people.csv"), by=None, dry_run=True
    )
    services.run_job(job.pk)
    job.refresh_from_db()
    return job


def apply_and_run(trial: ImportJob, likely: str = "") -> ImportJob:
    job = services.apply_dry_run(trial.pk, by=None, duplicate_policy=likely)
    services.run_job(job.pk)
    job.refresh_from_db()
    return job


def choose(client, trial, row, choice, reason=""):
    question = trial.questions.get(row_number=row)
    sent = {f"q{question.pk}": choice, f"r{question.pk}": reason}
    return client.post(f"/imports/{trial.pk}/review/alike/", sent)


def page_text(response) -> str:
    return re.sub(r"\s+", " ", response.content.decode())


def test_the_dry_run_says_how_many_there_are_who_they_may_be_and_why(client, anna):
    trial = run_dry_run(ANNE, BEN)
    assert (trial.new_count, trial.alike_count) == (2, 1)
    page = page_text(client.get(f"/imports/{trial.pk}/"))
    assert "1 person may be registered already" in page
    assert f'<td class="app-number">2</td><td>MRN {anna.mrn}</td><td>Probable</td>' in page
    assert "one letter off in the family name" in page


def test_nothing_is_imported_before_the_user_has_decided_about_them(client, anna):
    trial = run_dry_run(ANNE, BEN)
    response = client.post(f"/imports/{trial.pk}/commit/")
    assert response.status_code == 422
    assert (
        "Choose what becomes of the people who may be registered already."
        in response.content.decode()
    )
    assert "checked" not in page_text(client.get(f"/imports/{trial.pk}/"))
    assert not ImportJob.objects.filter(dry_run=False).exists()


def test_all_can_be_registered(client, anna):
    trial = run_dry_run(ANNE, BEN)
    client.post(f"/imports/{trial.pk}/commit/", {"likely": "register"})
    services.run_job(trial.applied_job.pk)
    assert (trial.applied_job.new_count, trial.applied_job.alike_count) == (2, 1)
    pair = PossibleDuplicate.objects.get()
    assert (pair.state, pair.grade, anna.pk in (pair.first_id, pair.second_id)) == (
        PairState.OPEN,
        "probable",
        True,
    )


def test_all_can_be_held_back_and_the_reason_names_no_value(client, anna):
    trial = run_dry_run(ANNE, BEN)
    client.post(f"/imports/{trial.pk}/commit/", {"likely": "refuse"})
    services.run_job(trial.applied_job.pk)
    assert (trial.applied_job.new_count, trial.applied_job.rejected_count) == (1, 1)
    reason = ImportReject.objects.get().reason
    assert reason.startswith(f"This may be MRN {anna.mrn} ({REASONS}). ")
    assert not {"Beisp", "Anna", "1984"} & set(re.findall("Beisp|Anna|1984", reason))


def test_an_override_reason_is_in_the_log_with_the_possible_duplicate(client, anna, operator):
    trial = run_dry_run(ANNE, BEN)
    refused = choose(client, trial, 2, "new")
    assert "Row 2: say why this is another person." in refused.content.decode()
    choose(client, trial, 2, "new", "Her twin")
    job = apply_and_run(trial)  # No row is left to decide, so no policy is asked for.
    assert (job.new_count, job.alike_count) == (2, 0)
    anne, ben = (
        PatientEvent.objects.get(given_name=name, pgh_obj__source="import")
        for name in ("Anna", "Ben")
    )
    assert (anne.pgh_context["duplicate_reason"], anne.pgh_context["similar"]) == (
        "Her twin",
        [str(anna.pk)],
    )
    assert not {"duplicate_reason", "similar"} & ben.pgh_context.keys()
    assert PossibleDuplicate.objects.get().state == PairState.DISMISSED
    assert anne.pgh_context["import_job"] == ben.pgh_context["import_job"] == str(job.pk)


def test_a_row_becomes_a_change_of_the_patient(client, anna):
    trial = run_dry_run(ANNE)
    page = client.get(f"/imports/{trial.pk}/review/alike/").content.decode()
    assert f"MRN {anna.mrn}: probable" in page
    choose(client, trial, 2, f"update:{anna.pk}")
    assert apply_and_run(trial).updated_count == 1
    assert Patient.objects.values_list("family_name", "city").get() == ("Beispeil", "Salem")


def test_a_row_is_left_out(client, anna):
    trial = run_dry_run(ANNE)
    choose(client, trial, 2, "skip")
    assert apply_and_run(trial).rejects.get().reason == "It was left out in the review."


def test_rows_without_a_choice_stay_undecided_on_a_page_of_many(client, anna):
    trial = run_dry_run(ANNE, ANNE | {"given_name": "Anne"})
    choose(client, trial, 3, "skip")
    assert count_undecided(trial) == 1


def test_one_choice_for_the_rest_needs_no_override_reason(client, anna, operator):
    trial = run_dry_run(ANNE)
    client.post(f"/imports/{trial.pk}/review/alike/rest/", {"choice": "new"})
    job = apply_and_run(trial)
    assert (job.new_count, job.alike_count) == (1, 1)


def test_a_patient_registered_between_dry_run_and_import_is_found(anna):
    trial = run_dry_run(BEN)
    register(BEN | {"family_name": "Sampel"})
    job = apply_and_run(trial)
    assert (job.new_count, job.rejected_count) == (0, 1)
    assert "one letter off" in job.rejects.get().reason


def test_a_choice_does_not_hold_for_a_match_that_came_later(client, anna):
    trial = run_dry_run(ANNE)
    choose(client, trial, 2, "new", "Her twin")
    late = register(ANNA | {"family_name": "Beispell"})
    job = apply_and_run(trial)
    assert (job.new_count, job.rejected_count) == (0, 1)
    assert "and 1 more" in job.rejects.get().reason
    assert late.pk


@pytest.mark.parametrize("between", [0, 600])
def test_two_spellings_in_one_file_are_found_in_dry_run_and_import(client, operator, between):
    others = [{"family_name": f"Filler{n}", "ssn": f"F{n}"} for n in range(between)]
    trial = run_dry_run(ANNA, *others, ANNE)
    assert (trial.new_count, trial.alike_count) == (2 + between, 1)
    [question] = trial.questions.all()
    assert [match["who"] for match in question.alike] == ["row 2"]
    assert (
        "The patient of row 2: probable"
        in client.get(f"/imports/{trial.pk}/review/alike/").content.decode()
    )
    choose(client, trial, 3 + between, "new", "Her twin")
    job = apply_and_run(trial)
    assert (job.new_count, job.alike_count) == (2 + between, 0)
    anne = PatientEvent.objects.get(family_name="Beispeil")
    assert anne.pgh_context["similar"] == [str(Patient.objects.get(family_name="Beispiel").pk)]


def test_the_rest_cannot_update_patients_who_are_not_on_record_yet(operator):
    trial = run_dry_run(ANNA, ANNE)
    assert save_choice_for_rest(trial.pk, "alike", choice="update", reason="", by=operator) == 0


def test_the_command_registers_them_and_reports_them(import_text):
    import_text(as_csv(ANNA))
    code, report = import_text(as_csv(ANNE))
    assert (code, counts(report), report["mayBeRegistered"]) == (0, {"new": 1}, 1)
    [match] = report["firstLikely"]
    assert (match["row"], match["grade"], ", ".join(match["reasons"])) == (2, "probable", REASONS)


@pytest.mark.parametrize("dry_run", [True, False])
def test_the_command_refuses_them_with_its_option(import_text, dry_run):
    import_text(as_csv(ANNA))
    options = ["--likely", "refuse", *(["--dry-run"] if dry_run else [])]
    code, report = import_text(as_csv(ANNE, BEN), *options)
    assert (code, counts(report), report["mayBeRegistered"]) == (1, {"new": 1, "rejected": 1}, 0)


def test_allowed_duplicates_are_registered_without_a_question(import_text):
    import_text(as_csv(ANNA))
    code, report = import_text(as_csv(ANNE), "--allow-duplicates", "--likely", "refuse")
    assert (code, counts(report), report["mayBeRegistered"]) == (0, {"new": 1}, 1)


def test_the_number_of_queries_does_not_grow_with_the_rows(
    import_text, django_assert_max_num_queries
):
    import_text(as_csv(ANNA, BEN))
    people = [ANNE | {"given_name": f"Anna {n}", "phone": f"617 555 {n:04}"} for n in range(400)]
    with django_assert_max_num_queries(90):
        assert import_text(as_csv(*people))[1]["mayBeRegistered"] == 400


def test_people_of_one_name_and_birth_year_are_registered_and_listed(import_text):
    """Red where the year alone makes one person of them."""
    people = [
        {"family_name": "Ortig", "given_name": "Maria", "date_of_birth": "1980", "city": city}
        for city in ("Salem", "Lowell", "Boston")
    ]
    code, report = import_text(as_csv(*people))
    assert (code, counts(report), report["mayBeRegistered"]) == (0, {"new": 3}, 2)
    assert PossibleDuplicate.objects.count() == 3
    assert counts(import_text(as_csv(*people))[1]) == {"unchanged": 3}


def test_a_namesake_without_a_birth_date_is_refused_in_words_that_fit(import_text):
    nameless = {"family_name": "Smith", "given_name": "John", "phone": "(617) 555-0123"}
    code, report = import_text(as_csv(nameless, nameless | {"phone": "(617) 555-0124"}))
    assert (code, counts(report)) == (1, {"new": 1, "rejected": 1})
    reason = report["firstProblems"][0]["reason"]
    assert "has this name, and neither has a date of birth that tells them apart" in reason
