"""Rows in doubt are shown beside their patients, decided by a person, and imported so."""

import pytest
from django.core.files.base import ContentFile

from portal.errors import Conflict
from portal.imports import review, services
from portal.imports.models import ImportJob, ImportQuestion
from portal.imports.review import count_questions, save_choice_for_rest
from portal.patients.models import AccessRecord, Patient, PatientIdentifier, Source
from portal.patients.services import archive_patient, change_patient, register_patient
from portal.patients.validation import validate_details
from tests.portal.imports.files import ANNA, BEN, as_csv

pytestmark = pytest.mark.django_db
ANNA_AGAIN = {name: value for name, value in ANNA.items() if name != "ssn"} | {
    "phone": "(617) 555-0199",
    "ssn": "",
}
# Overwrites the phone and fills the city.
MOVED = ANNA | {"phone": "(617) 555-0188", "city": "Salem"}
BEN_BY_ANNAS_NUMBER = BEN | {"ssn": ANNA["ssn"]}


@pytest.fixture
def anna(operator):
    details: dict = {name: value for name, value in ANNA.items() if name != "ssn"}
    details["identifiers"] = [{"system": "ssn", "value": ANNA["ssn"]}]
    return register_patient(validate_details(details), by=operator, source=Source.PORTAL)


def run_dry_run(*people) -> ImportJob:
    """Returns the finished dry run of these rows."""
    job = services.start_import(
        ContentFile(as_csv(*people).encode(), "people.csv"), by=None, dry_run=True
    )
    services.run_job(job.pk)
    return job


def apply_and_run(trial: ImportJob) -> ImportJob:
    job = services.apply_dry_run(trial.pk, by=None)
    services.run_job(job.pk)
    job.refresh_from_db()
    return job


def choose(client, trial, doubt, choice, reason=""):
    """Sends the page's form with a choice for its only row."""
    [question] = trial.questions.filter(doubt=doubt)
    sent = {f"q{question.pk}": choice, f"r{question.pk}": reason}
    return client.post(f"/imports/{trial.pk}/review/{doubt}/", sent)


def test_a_row_is_shown_beside_the_patient_and_the_access_is_recorded(client, anna, operator):
    trial = run_dry_run(ANNA_AGAIN)
    page = client.get(f"/imports/{trial.pk}/review/", follow=True).content.decode()
    for text in (
        "Row 2",
        f"MRN {anna.mrn}",
        "(617) 555-0199",
        "<strong>(617) 555-0123</strong>",
        "15-Mar-1984",
    ):
        assert text in page
    assert AccessRecord.objects.filter(
        user=operator, action="review", patient_ids=[anna.pk]
    ).exists()


def test_patients_of_another_page_are_not_recorded_as_read(client, anna, operator, monkeypatch):
    monkeypatch.setattr("portal.imports.views.review.PAGE", 1)
    ben = register_patient(
        validate_details({name: value for name, value in BEN.items() if name != "ssn"}),
        by=operator,
        source=Source.PORTAL,
    )
    trial = run_dry_run(
        ANNA_AGAIN,
        {name: value for name, value in BEN.items() if name != "ssn"} | {"phone": "555 0100"},
    )
    assert ben.mrn not in client.get(f"/imports/{trial.pk}/review/likely/").content.decode()
    assert ben.mrn in client.get(f"/imports/{trial.pk}/review/likely/?after=2").content.decode()
    read = (
        AccessRecord.objects.filter(action="review")
        .order_by("id")
        .values_list("patient_ids", flat=True)
    )
    assert [*read] == [[anna.pk], [ben.pk]]


def test_without_a_choice_a_likely_duplicate_stays_out(anna):
    job = apply_and_run(run_dry_run(ANNA_AGAIN))
    assert (job.new_count, job.updated_count, job.rejected_count) == (0, 0, 1)


def test_a_likely_duplicate_becomes_an_update(client, anna):
    trial = run_dry_run(ANNA_AGAIN)
    choose(client, trial, "likely", f"update:{anna.pk}")
    assert apply_and_run(trial).updated_count == 1
    assert Patient.objects.get().phone == "(617) 555-0199"


def test_a_likely_duplicate_becomes_a_new_person_for_a_reason(client, anna, operator):
    trial = run_dry_run(ANNA_AGAIN)
    refused = choose(client, trial, "likely", "new")
    assert refused.status_code == 422
    assert "Row 2: say why this is another person." in refused.content.decode()
    choose(client, trial, "likely", "new", "Cousin of the same name")
    assert apply_and_run(trial).new_count == 1
    question = ImportQuestion.objects.get()
    assert (question.reason, question.chosen_by) == ("Cousin of the same name", operator)


def test_a_row_that_is_left_out_says_so_in_the_rejects(client, anna):
    trial = run_dry_run(MOVED)
    choose(client, trial, "overwrite", "skip")
    job = apply_and_run(trial)
    assert job.rejects.get().reason == "It was left out in the review."
    assert Patient.objects.get().city == ""


def test_only_what_is_missing_can_be_added(client, anna):
    trial = run_dry_run(MOVED)
    choose(client, trial, "overwrite", f"fill:{anna.pk}")
    assert apply_and_run(trial).updated_count == 1
    assert (Patient.objects.get().phone, Patient.objects.get().city) == (ANNA["phone"], "Salem")


def test_without_a_choice_a_row_overwrites_as_the_dry_run_said(anna):
    assert apply_and_run(run_dry_run(MOVED)).updated_count == 1
    assert Patient.objects.get().phone == MOVED["phone"]


def test_another_person_under_a_known_identifier_is_registered_without_it(client, anna):
    trial = run_dry_run(BEN_BY_ANNAS_NUMBER)
    choose(client, trial, "apart", "new", "Number was typed wrong")
    assert apply_and_run(trial).new_count == 1
    assert PatientIdentifier.objects.get().patient_id == anna.pk


def test_identifiers_of_two_patients_update_the_one_that_is_chosen(client, anna, operator):
    ben = register_patient(
        {"family_name": "Sample", "identifiers": [{"system": "passport", "value": "X2"}]},
        by=operator,
        source=Source.PORTAL,
    )
    trial = run_dry_run(ANNA | {"passport": "X2", "city": "Salem"})
    choose(client, trial, "conflict", f"update:{anna.pk}")
    assert apply_and_run(trial).updated_count == 1
    assert Patient.objects.get(pk=anna.pk).city == "Salem"
    assert PatientIdentifier.objects.get(value="X2").patient_id == ben.pk


def test_a_choice_does_not_hold_for_another_doubt(client, anna, operator):
    trial = run_dry_run(ANNA_AGAIN)
    choose(client, trial, "likely", f"update:{anna.pk}")
    archive_patient(anna.pk, by=operator, source=Source.PORTAL)
    # No patient of this name is active any more, so nothing is in doubt.
    assert apply_and_run(trial).new_count == 1
    assert Patient.objects.get(pk=anna.pk).phone == ANNA["phone"]


def test_one_choice_for_all_leaves_those_that_have_their_own(anna, operator):
    trial = run_dry_run(ANNA_AGAIN, ANNA_AGAIN | {"city": "Salem"}, ANNA_AGAIN | {"city": "Boston"})
    first = trial.questions.first()
    first.choice = "skip"
    review.save_choices(trial.pk, [first], by=operator)
    assert (
        save_choice_for_rest(trial.pk, "likely", choice="new", reason="Test people", by=operator)
        == 2
    )
    assert [question.choice for question in trial.questions.all()] == ["skip", "new", "new"]


def test_one_choice_for_all_needs_a_reason_for_new_people(client, anna):
    trial = run_dry_run(ANNA_AGAIN)
    url = f"/imports/{trial.pk}/review/likely/rest/"
    response = client.post(url, {"choice": "new"})
    assert response.status_code == 422
    assert "Say why this is another person." in response.content.decode()
    client.post(url, {"choice": "new", "reason": "All are cousins"})
    assert count_questions(trial) == [("likely", 1, 1)]
    assert apply_and_run(trial).new_count == 1


def test_nothing_is_chosen_once_the_import_has_begun(client, anna):
    trial = run_dry_run(ANNA_AGAIN)
    apply_and_run(trial)
    assert client.get(f"/imports/{trial.pk}/review/likely/")["Location"] == f"/imports/{trial.pk}/"
    with pytest.raises(Conflict):
        save_choice_for_rest(trial.pk, "likely", choice="skip", reason="", by=None)


def test_an_import_with_row_decisions_is_undone_like_any_other(client, anna, operator):
    trial = run_dry_run(MOVED)
    choose(client, trial, "overwrite", f"fill:{anna.pk}")
    services.undo_import(apply_and_run(trial).pk, by=operator)
    assert Patient.objects.get().city == ""


def test_a_change_of_the_patient_after_the_dry_run_is_seen(client, anna, operator):
    trial = run_dry_run(MOVED)
    choose(client, trial, "overwrite", f"fill:{anna.pk}")
    change_patient(anna.pk, {"city": "York"}, by=operator, source=Source.PORTAL)
    apply_and_run(trial)
    assert Patient.objects.get().city == "York"


def test_only_users_who_may_import_may_review(client, anna, make_user):
    trial = run_dry_run(ANNA_AGAIN)
    client.force_login(make_user("front desk"))
    assert client.get(f"/imports/{trial.pk}/review/likely/").status_code == 403
