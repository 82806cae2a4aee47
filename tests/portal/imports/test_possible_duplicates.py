"""New people who may be registered already under another spelling: told by the trial, decided by a person."""

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
# Of ANNA, who is on record: the family name is one letter off.
ANNE = {
    "family_name": "Beispeil",
    "given_name": "Anna",
    "date_of_birth": "1984-03-15",
    "city": "Salem",
}
SAME = "one letter off in the family name, same given name, same date of birth"


@pytest.fixture
def anna(operator):
    return registered(ANNA | {"ssn": ""}, by=operator)


def registered(person, *, by=None):
    details = {name: value for name, value in person.items() if name != "ssn"}
    return register_patient(validate_details(details), by=by, source=Source.PORTAL)


def tried(*people) -> ImportJob:
    job = services.start_import(
        ContentFile(as_csv(*people).encode(), "people.csv"), by=None, dry_run=True
    )
    services.run_job(job.pk)
    job.refresh_from_db()
    return job


def imported(trial: ImportJob, likely: str = "") -> ImportJob:
    job = services.apply_dry_run(trial.pk, by=None, likely=likely)
    services.run_job(job.pk)
    job.refresh_from_db()
    return job


def choose(client, trial, row, choice, reason=""):
    question = trial.questions.get(row_number=row)
    sent = {f"q{question.pk}": choice, f"r{question.pk}": reason}
    return client.post(f"/imports/{trial.pk}/review/alike/", sent)


def text_of(answer) -> str:
    return re.sub(r"\s+", " ", answer.content.decode())


def test_the_trial_tells_how_many_and_whom_they_may_be_and_why(client, anna):
    trial = tried(ANNE, BEN)
    assert (trial.new_count, trial.alike_count) == (2, 1)
    page = text_of(client.get(f"/imports/{trial.pk}/"))
    assert "1 person may be registered already" in page
    assert f'<td class="app-number">2</td><td>MRN {anna.mrn}</td><td>Probable</td>' in page
    assert "one letter off in the family name" in page


def test_nothing_is_imported_before_somebody_has_said_what_becomes_of_them(client, anna):
    trial = tried(ANNE, BEN)
    answer = client.post(f"/imports/{trial.pk}/commit/")
    assert answer.status_code == 422
    assert (
        "Choose what becomes of the people who may be registered already."
        in answer.content.decode()
    )
    assert "checked" not in text_of(client.get(f"/imports/{trial.pk}/"))
    assert not ImportJob.objects.filter(dry_run=False).exists()


def test_all_can_be_registered(client, anna):
    trial = tried(ANNE, BEN)
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
    trial = tried(ANNE, BEN)
    client.post(f"/imports/{trial.pk}/commit/", {"likely": "refuse"})
    services.run_job(trial.applied_job.pk)
    assert (trial.applied_job.new_count, trial.applied_job.rejected_count) == (1, 1)
    reason = ImportReject.objects.get().reason
    assert reason.startswith(f"This may be MRN {anna.mrn} ({SAME}). ")
    assert not {"Beisp", "Anna", "1984"} & set(re.findall("Beisp|Anna|1984", reason))


def test_a_row_becomes_another_person_and_the_log_says_who_was_set_aside_and_why(
    client, anna, operator
):
    trial = tried(ANNE, BEN)
    refused = choose(client, trial, 2, "new")
    assert "Row 2: say why this is another person." in refused.content.decode()
    choose(client, trial, 2, "new", "Her twin")
    job = imported(trial)  # Nobody is left to be decided, so nothing more is asked.
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
    trial = tried(ANNE)
    page = client.get(f"/imports/{trial.pk}/review/alike/").content.decode()
    assert f"MRN {anna.mrn}: probable" in page
    choose(client, trial, 2, f"update:{anna.pk}")
    assert imported(trial).updated_count == 1
    assert Patient.objects.values_list("family_name", "city").get() == ("Beispeil", "Salem")


def test_a_row_is_left_out(client, anna):
    trial = tried(ANNE)
    choose(client, trial, 2, "skip")
    assert imported(trial).rejects.get().reason == "It was left out in the review."


def test_rows_that_nobody_chose_for_stay_undecided_on_a_page_of_many(client, anna):
    trial = tried(ANNE, ANNE | {"given_name": "Anne"})
    choose(client, trial, 3, "skip")
    assert count_undecided(trial) == 1


def test_one_choice_for_the_rest_of_them_needs_no_reason(client, anna, operator):
    trial = tried(ANNE)
    client.post(f"/imports/{trial.pk}/review/alike/rest/", {"choice": "new"})
    job = imported(trial)
    assert (job.new_count, job.alike_count) == (1, 1)


def test_whoever_is_registered_between_trial_and_import_is_seen(anna):
    trial = tried(BEN)
    registered(BEN | {"family_name": "Sampel"})
    job = imported(trial)
    assert (job.new_count, job.rejected_count) == (0, 1)
    assert "one letter off" in job.rejects.get().reason


def test_a_choice_does_not_hold_for_somebody_alike_who_came_later(client, anna):
    trial = tried(ANNE)
    choose(client, trial, 2, "new", "Her twin")
    late = registered(ANNA | {"family_name": "Beispell"})
    job = imported(trial)
    assert (job.new_count, job.rejected_count) == (0, 1)
    assert "and 1 more" in job.rejects.get().reason
    assert late.pk


@pytest.mark.parametrize("between", [0, 600])
def test_two_spellings_in_one_file_are_noticed_in_trial_and_import_alike(client, operator, between):
    others = [{"family_name": f"Filler{n}", "ssn": f"F{n}"} for n in range(between)]
    trial = tried(ANNA, *others, ANNE)
    assert (trial.new_count, trial.alike_count) == (2 + between, 1)
    [question] = trial.questions.all()
    assert [one["who"] for one in question.alike] == ["row 2"]
    assert (
        "The patient of row 2: probable"
        in client.get(f"/imports/{trial.pk}/review/alike/").content.decode()
    )
    choose(client, trial, 3 + between, "new", "Her twin")
    job = imported(trial)
    assert (job.new_count, job.alike_count) == (2 + between, 0)
    anne = PatientEvent.objects.get(family_name="Beispeil")
    assert anne.pgh_context["similar"] == [str(Patient.objects.get(family_name="Beispiel").pk)]


def test_an_update_of_whoever_is_not_on_record_yet_is_not_offered_for_the_rest(operator):
    trial = tried(ANNA, ANNE)
    assert save_choice_for_rest(trial.pk, "alike", choice="update", reason="", by=operator) == 0


def test_the_command_registers_them_and_says_so(import_text):
    import_text(as_csv(ANNA))
    code, report = import_text(as_csv(ANNE))
    assert (code, counts(report), report["mayBeRegistered"]) == (0, {"new": 1}, 1)
    [told] = report["firstLikely"]
    assert (told["row"], told["grade"], ", ".join(told["reasons"])) == (2, "probable", SAME)


@pytest.mark.parametrize("dry_run", [True, False])
def test_the_command_refuses_them_where_it_is_told_to(import_text, dry_run):
    import_text(as_csv(ANNA))
    options = ["--likely", "refuse", *(["--dry-run"] if dry_run else [])]
    code, report = import_text(as_csv(ANNE, BEN), *options)
    assert (code, counts(report), report["mayBeRegistered"]) == (1, {"new": 1, "rejected": 1}, 0)


def test_allowed_duplicates_are_registered_without_a_question(import_text):
    import_text(as_csv(ANNA))
    code, report = import_text(as_csv(ANNE), "--allow-duplicates", "--likely", "refuse")
    assert (code, counts(report), report["mayBeRegistered"]) == (0, {"new": 1}, 1)


def test_the_number_of_questions_to_the_database_does_not_grow_with_the_rows(
    import_text, django_assert_max_num_queries
):
    import_text(as_csv(ANNA, BEN))
    people = [ANNE | {"given_name": f"Anna {n}", "phone": f"617 555 {n:04}"} for n in range(400)]
    with django_assert_max_num_queries(90):
        assert import_text(as_csv(*people))[1]["mayBeRegistered"] == 400
