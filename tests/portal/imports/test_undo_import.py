"""Undoing an import puts everything back where it was, overwrites nobody's work, and can itself be taken back."""

import io
import json

import pytest
from django.core.management import CommandError, call_command

from portal.billing.models import BillingAccount
from portal.errors import Conflict, NotFound
from portal.imports import services, tasks
from portal.imports.models import ImportJob
from portal.imports.pipeline import job_store
from portal.patients import services as patients
from portal.patients.models import EventOutbox, Patient, PatientEvent, Status
from portal.patients.validation import validate_details
from tests.portal.imports.files import ANNA, BEN, as_csv, counts
from tests.portal.imports.snapshots import people

pytestmark = pytest.mark.django_db
# Each change in a transaction of its own, as in life: identifiers raise the version once in a transaction.
apart = pytest.mark.django_db(transaction=True)
MORE = {
    "phone": "020 7946 0000", "country": "GB", "city": "Salem", "passport": "X1", "driver": "D1", "race": "white",
    "email": "anna@example.org", "deceased_on": "2020-02-29", "marital_status": "Married",
}  # fmt: skip


def undo(report_or_job, *options):
    """The exit code and the report of `manage.py import_patients --undo`."""
    job = report_or_job["job"] if isinstance(report_or_job, dict) else report_or_job
    out = io.StringIO()
    try:
        call_command(
            "import_patients", f"--undo={job}", "--json", *options, stdout=out, stderr=io.StringIO()
        )
    except SystemExit as ended:
        return int(ended.code or 0), json.loads(out.getvalue())
    return 0, json.loads(out.getvalue())


def came_to(report):
    return report["archived"], report["restored"], report["leftAlone"]


def desk(patient, **changes):
    patients.change_patient(
        patient.pk, validate_details(changes, partial=True), by=None, source="portal"
    )


def test_those_it_made_are_archived_and_those_it_changed_are_what_they_were(import_text):
    vague = ANNA | {"date_of_birth": "1984", "sex": "", "phone": ""}
    import_text(as_csv(vague, {"family_name": "Same", "ssn": "S"}))
    start = people()
    _, report = import_text(as_csv(ANNA | MORE, BEN, {"family_name": "Same", "ssn": "S"}))
    assert counts(report) == {"updated": 1, "new": 1, "unchanged": 1}
    code, undone = undo(report)
    assert (code, came_to(undone), undone["left"]) == (0, (1, 1, 0), [])
    assert people(pk__in=start) == start
    ben = Patient.objects.get(given_name="Ben")
    assert (ben.status, ben.version, ben.identifiers.count()) == (Status.ARCHIVED, 2, 1)
    assert Patient.objects.filter(status=Status.ACTIVE).count() == 2


def test_the_log_names_the_undoing_and_billing_and_broker_hear_of_it(import_text, make_user):
    _, report = import_text(as_csv(ANNA))
    operator = make_user("operator")
    waiting = EventOutbox.objects.count()
    services.undo_import(report["job"], by=operator)
    event = PatientEvent.objects.latest("pgh_id")
    assert event.pgh_context == {
        "user": operator.pk,
        "source": "import",
        "import_undo": report["job"],
    }
    assert EventOutbox.objects.count() == waiting + 1
    assert BillingAccount.objects.get().wanted_version == event.version == 2  # To be closed.


def test_a_person_of_several_rows_is_undone_once_and_wholly(import_text):
    import_text(as_csv(BEN))
    start = people()
    _, report = import_text(
        as_csv(ANNA, BEN | {"city": "Salem"}, ANNA | {"city": "Lowell"}, BEN | {"driver": "D2"})
    )
    assert counts(report) == {"new": 1, "updated": 3}
    assert came_to(undo(report)[1]) == (1, 1, 0)
    assert people(pk__in=start) == start


@apart
def test_what_somebody_changed_since_is_left_alone_and_listed(import_text):
    import_text(as_csv(ANNA))
    _, report = import_text(
        as_csv(ANNA | {"city": "Salem"}, BEN, {"family_name": "Third", "ssn": "T"})
    )
    anna, ben = Patient.objects.get(given_name="Anna"), Patient.objects.get(given_name="Ben")
    desk(anna, email="new@example.org")
    desk(
        ben,
        identifiers=[
            {"system": "ssn", "value": "999000002"},
            {"system": "passport", "value": "B7"},
        ],
    )
    before = people(pk__in=[anna.pk, ben.pk])
    code, undone = undo(report)
    assert (code, came_to(undone)) == (1, (1, 0, 2))
    assert {one["patientId"] for one in undone["left"]} == {str(anna.pk), str(ben.pk)}
    assert {one["reason"] for one in undone["left"]} == {
        "Left alone: somebody changed this patient after the import."
    }
    assert people(pk__in=before) == before


@apart
def test_a_change_between_two_rows_about_one_person_is_not_lost(import_text, monkeypatch):
    """The desk writes while the import is between its batches."""
    import_text(as_csv(ANNA))
    anna = Patient.objects.get()
    kept = job_store.JobProgressStore.batch

    def desk_first(self):
        if ImportJob.objects.filter(pk=self.job_id, last_row__gt=2).exists() and anna.version == 1:
            desk(anna, email="desk@example.org")
            anna.refresh_from_db()
        return kept(self)

    monkeypatch.setattr(job_store.JobProgressStore, "batch", desk_first)
    others = [{"family_name": f"Row{n}", "ssn": f"R{n}"} for n in range(600)]
    _, report = import_text(as_csv(ANNA | {"city": "Salem"}, *others, ANNA | {"driver": "D9"}))
    assert counts(report) == {"updated": 2, "new": 600}
    assert came_to(undo(report)[1]) == (600, 0, 1)
    anna.refresh_from_db()
    assert (anna.email, anna.city, anna.version) == ("desk@example.org", "Salem", 4)


def test_undoing_twice_changes_nothing(import_text):
    import_text(as_csv(ANNA))
    _, report = import_text(as_csv(ANNA | MORE, BEN))
    first = undo(report)
    events = PatientEvent.objects.count()
    assert undo(report) == first
    assert PatientEvent.objects.count() == events


def test_the_same_file_after_an_undo_brings_everything_back(import_text):
    plain = {"family_name": "Plain", "date_of_birth": "1970-01-01"}
    nobody = {"family_name": "Undated"}
    content = as_csv(ANNA | MORE, BEN, plain, nobody, BEN | {"city": "Salem"})
    import_text(as_csv(ANNA))
    _, first = import_text(content)
    end = people()
    undo(first)
    _, rehearsed = import_text(content, "--dry-run")
    code, again = import_text(content)
    assert (code, counts(again)) == (0, {"updated": 4, "duplicates": 1})
    assert counts(rehearsed) == counts(again)
    assert people() == end
    assert came_to(undo(again)[1]) == (0, 4, 0)
    assert Patient.objects.filter(status=Status.ACTIVE).count() == 1
    assert counts(import_text(content)[1])["updated"] == 4
    assert people() == end


@apart
def test_imports_are_undone_from_the_last_to_the_first(import_text):
    import_text(as_csv(BEN))
    start = people()
    _, first = import_text(as_csv(ANNA, BEN | {"city": "Salem"}))
    middle = people()
    _, second = import_text(as_csv(ANNA | MORE, BEN | {"driver": "D3"}))
    code, early = undo(first)
    assert (code, came_to(early)) == (1, (0, 0, 2))
    assert early["left"][0]["reason"].endswith("Undo that one first.")
    assert came_to(undo(second)[1]) == (0, 2, 0)
    assert people() == middle
    assert came_to(undo(first)[1]) == (1, 1, 0)
    assert people(pk__in=start) == start


def test_a_restored_patient_stays_when_the_undo_is_asked_for_again(import_text):
    _, report = import_text(as_csv(ANNA))
    undo(report)
    patients.restore_patient(Patient.objects.get().pk, by=None, source="portal")
    assert came_to(undo(report)[1]) == (1, 0, 0)
    assert Patient.objects.get().status == Status.ACTIVE


def test_an_archived_person_whom_no_undo_archived_is_not_brought_back(import_text):
    _, report = import_text(as_csv(ANNA, BEN))
    undo(report)
    anna = Patient.objects.get(given_name="Anna")
    patients.restore_patient(anna.pk, by=None, source="portal")
    patients.archive_patient(anna.pk, by=None, source="portal")
    assert counts(import_text(as_csv(ANNA, BEN))[1]) == {"unchanged": 1, "updated": 1}
    anna.refresh_from_db()
    assert anna.status == Status.ARCHIVED


def test_who_was_registered_anew_after_the_undo_is_not_doubled_by_the_file(import_text):
    _, report = import_text(as_csv(ANNA))
    undo(report)
    details = validate_details(
        {name: ANNA[name] for name in ("family_name", "given_name", "date_of_birth")}
    )
    patients.register_patient(details, by=None, source="portal")
    code, again = import_text(as_csv(ANNA))
    assert (code, counts(again)) == (1, {"rejected": 1})
    assert Patient.objects.filter(status=Status.ACTIVE).count() == 1


def test_nothing_is_undone_while_the_same_file_is_imported_again(import_text):
    """Red when both may run: which of the two has the last word on a patient would be chance."""
    import_text(as_csv(ANNA))
    first = ImportJob.objects.get()
    again = ImportJob.objects.create(
        original_name="again.csv", sha256=first.sha256, size_bytes=1, file_format="csv"
    )
    with pytest.raises(Conflict) as refused:
        services.undo_import(first.pk, by=None)
    assert "imported again" in refused.value.detail
    ImportJob.objects.filter(pk=again.pk).update(status="failed")
    assert services.undo_import(first.pk, by=None).undo_archived_count == 1


def test_a_running_import_and_a_trial_are_not_undone(import_text, file, settings):
    _, report = import_text(as_csv(ANNA))
    job = ImportJob.objects.get()
    for status in ("running", "waiting"):
        ImportJob.objects.update(status=status)
        with pytest.raises(Conflict) as refused:
            services.undo_import(job.pk, by=None)
        assert "still runs" in refused.value.detail
    ImportJob.objects.update(status="done", dry_run=True)
    with pytest.raises(CommandError) as ended:
        undo(report)
    assert ended.value.returncode == 2
    assert Patient.objects.get().status == Status.ACTIVE


def test_an_unknown_import_is_named_as_such(db):
    with pytest.raises(NotFound):
        services.undo_import("018f428e-34f6-4707-8009-5ad742f901e7", by=None)


def test_what_was_stopped_by_hand_can_be_undone(import_text):
    _, report = import_text(as_csv(ANNA))
    ImportJob.objects.update(status="failed")
    assert came_to(undo(report)[1]) == (1, 0, 0)


@pytest.fixture
def operator(client, make_user):
    client.force_login(make_user("operator", is_staff=True))
    return client


def test_the_page_undoes_and_shows_what_it_came_to(operator, import_text):
    _, report = import_text(as_csv(ANNA, BEN))
    desk(Patient.objects.get(given_name="Ben"), city="Boston")
    place = f"/imports/{report['job']}/"
    assert "Undo it now" in operator.get(place).content.decode()
    assert operator.post(f"{place}undo/")["Location"] == place
    assert "every 1s" in operator.get(place, headers={"HX-Request": "true"}).content.decode()
    tasks.run_import(report["job"])
    page = operator.get(place).content.decode()
    assert "somebody changed this patient" in page
    assert "Undo it now" not in page
    assert set(Patient.objects.values_list("given_name", "status")) == {
        ("Anna", "archived"),
        ("Ben", "active"),
    }


def test_the_admin_undoes_and_says_what_it_cannot(operator, import_text):
    _, report = import_text(as_csv(ANNA))
    asked = {"action": "undo", "_selected_action": [report["job"]]}
    assert (
        "is being undone"
        in operator.post("/admin/imports/importjob/", asked, follow=True).content.decode()
    )
    tasks.run_import(report["job"])
    assert Patient.objects.get().status == Status.ARCHIVED
    ImportJob.objects.update(status="running")
    assert (
        "still runs"
        in operator.post("/admin/imports/importjob/", asked, follow=True).content.decode()
    )


def test_a_front_desk_may_not_undo(client, front_desk, import_text):
    _, report = import_text(as_csv(ANNA))
    client.force_login(front_desk)
    assert client.post(f"/imports/{report['job']}/undo/").status_code == 403
    assert Patient.objects.get().status == Status.ACTIVE
