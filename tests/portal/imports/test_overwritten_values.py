"""An import tells what it overwrote, and does not bring back what a person set aside."""

import csv
import json

import pytest
from django.core.files.base import ContentFile

from portal.duplicates.merge import merge_patient
from portal.imports import services as imports
from portal.imports.models import ImportJob, ImportRemark
from portal.patients import services
from portal.patients.models import AccessRecord, Patient, PatientIdentifier
from tests.portal.imports.files import ANNA, as_csv, counts
from tests.portal.imports.test_review_import import apply_and_run, choose, run_dry_run

# All changes of one transaction are one version, so that each change needs its own.
pytestmark = pytest.mark.django_db(transaction=True)
NEW_PHONE = "(617) 555-0188"
BY_HAND = {"by": None, "source": "portal"}


def correct(**changes) -> None:
    """Changes the only patient as a desk does."""
    services.change_patient(Patient.objects.get().pk, changes, **BY_HAND)


def test_the_report_says_what_was_overwritten(import_text):
    import_text(as_csv(ANNA))
    _, report = import_text(as_csv(ANNA | {"phone": NEW_PHONE, "city": "Salem"}))
    assert (counts(report), report["overwritten"]) == ({"updated": 1}, 1)
    with open(report["changesFile"], encoding="utf-8-sig") as file:
        [row] = csv.DictReader(file)
    mrn = Patient.objects.get().mrn
    assert row == {
        "row": "2",
        "patient": f"MRN {mrn}",
        "what": "Overwritten",
        "field": "phone",
        "old": ANNA["phone"],
        "new": NEW_PHONE,
        "reason": "",
    }
    assert "555-0188" not in json.dumps(report)


def test_trial_and_import_say_the_same_on_the_jobs_page(client, operator):
    imports.run_job(_start(ANNA).pk)
    trial = run_dry_run(ANNA | {"phone": NEW_PHONE, "passport": "000000"})
    remarks = [_remarks_of(trial), _remarks_of(apply_and_run(trial))]
    assert remarks[0] == remarks[1]
    assert [remark[2] for remark in remarks[0]] == ["phone", "passport"]
    for job in (trial, ImportJob.objects.latest("created_at")):
        page = client.get(f"/imports/{job.pk}/").content.decode()
        assert ANNA["phone"] in page
        assert NEW_PHONE in page
        assert NEW_PHONE in b"".join(client.get(f"/imports/{job.pk}/changes.csv")).decode()
    patient_id = Patient.objects.get().pk
    read = AccessRecord.objects.filter(user=operator, patient_ids=[patient_id])
    assert {*read.values_list("action", flat=True)} == {"review", "export"}


def _start(*people):
    return imports.start_import(ContentFile(as_csv(*people).encode(), "people.csv"), by=None)


def _remarks_of(job) -> list[tuple]:
    columns = ("row_number", "kind", "field", "old", "new", "reason", "patient_id")
    return [*ImportRemark.objects.filter(job=job).order_by("pk").values_list(*columns)]


@pytest.mark.parametrize("value", [NEW_PHONE, ""])
def test_a_phone_corrected_or_emptied_by_hand_stays_so(import_text, value):
    """Red where yesterday's file writes the old value again."""
    import_text(as_csv(ANNA))
    correct(phone=value)
    code, report = import_text(as_csv(ANNA | {"city": "Salem"}))
    assert (code, counts(report), report["leftAsItIs"]) == (0, {"updated": 1}, 1)
    patient = Patient.objects.get()
    assert (patient.phone, patient.city) == (value, "Salem")
    remark = ImportRemark.objects.get()
    assert (remark.kind, remark.field, remark.old) == ("kept", "phone", value)
    assert (remark.new, remark.patient_id) == (ANNA["phone"], patient.pk)


def test_the_same_number_spelled_otherwise_stays_out_too(import_text):
    import_text(as_csv(ANNA))
    correct(phone="")
    _, report = import_text(as_csv(ANNA | {"phone": "+1 617 555 0123"}))
    assert (counts(report), report["leftAsItIs"]) == ({"unchanged": 1}, 1)


def test_a_number_dialled_as_at_home_and_from_abroad_is_the_same(import_text):
    london = ANNA | {"country": "GB", "phone": "020 7946 0018"}
    import_text(as_csv(london))
    correct(phone="")
    _, report = import_text(as_csv(london | {"phone": "+44 20 7946 0018"}))
    assert (counts(report), report["leftAsItIs"]) == ({"unchanged": 1}, 1)


def test_a_value_that_nobody_set_aside_is_written(import_text):
    import_text(as_csv(ANNA))
    correct(phone="")
    _, report = import_text(as_csv(ANNA | {"phone": NEW_PHONE}))
    assert (counts(report), Patient.objects.get().phone) == ({"updated": 1}, NEW_PHONE)


def test_what_an_import_changed_another_import_may_change_back(import_text):
    import_text(as_csv(ANNA))
    import_text(as_csv(ANNA | {"phone": NEW_PHONE}))
    _, report = import_text(as_csv(ANNA))
    assert (counts(report), report["leftAsItIs"]) == ({"updated": 1}, 0)


def test_an_import_may_come_again_after_its_undo(import_text):
    import_text(as_csv(ANNA))
    changed = as_csv(ANNA | {"phone": NEW_PHONE})
    _, report = import_text(changed)
    imports.undo_import(report["job"], by=None)
    assert counts(import_text(changed)[1]) == {"updated": 1}


def test_an_identifier_removed_by_hand_stays_away(import_text):
    with_passport = as_csv(ANNA | {"passport": "C01X0001"})
    import_text(with_passport)
    correct(identifiers=[{"system": "ssn", "value": "999000001"}])
    _, report = import_text(with_passport)
    assert (counts(report), report["leftAsItIs"]) == ({"unchanged": 1}, 1)
    assert PatientIdentifier.objects.get().system == "ssn"


def test_the_name_not_taken_in_a_merge_does_not_come_back(import_text):
    """Red where the older file renames the survivor to what the duplicate was called."""
    import_text(as_csv(ANNA))
    duplicate = Patient.objects.get()
    survivor = services.register_patient({"family_name": "Muster", "given_name": "Anna"}, **BY_HAND)
    merge_patient(duplicate.pk, into=survivor.pk, reason="Papers seen", **BY_HAND)
    _, report = import_text(as_csv(ANNA))
    survivor.refresh_from_db()
    assert (counts(report), survivor.family_name) == ({"unchanged": 1}, "Muster")
    assert report["leftAsItIs"] == len({"family_name", "date_of_birth", "sex", "phone"})


def test_a_review_asks_and_writes_what_a_person_chose(client, operator):
    imports.run_job(_start(ANNA).pk)
    correct(phone="")
    trial = run_dry_run(ANNA)
    page = client.get(f"/imports/{trial.pk}/review/setaside/").content.decode()
    assert "Leave as it is what a person set aside" in page
    choose(client, trial, "setaside", f"update:{Patient.objects.get().pk}")
    assert apply_and_run(trial).updated_count == 1
    assert Patient.objects.get().phone == ANNA["phone"]
