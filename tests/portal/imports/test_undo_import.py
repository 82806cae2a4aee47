"""An undo restores what was before, overwrites no later change, and allows another import."""

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
from tests.portal.imports.snapshots import patients_by_id

pytestmark = pytest.mark.django_db
# For changes in transactions of their own: identifiers raise the version once in each.
with_transactions = pytest.mark.django_db(transaction=True)
MORE = {
    "phone": "020 7946 0000",
    "country": "GB",
    "city": "Salem",
    "passport": "X1",
    "driver": "D1",
    "race": "white",
    "email": "anna@example.org",
    "deceased_on": "2020-02-29",
    "marital_status": "Married",
}


def undo(report_or_job, *options):
    """Returns the exit code and the report of `manage.py import_patients --undo`."""
    job = report_or_job["job"] if isinstance(report_or_job, dict) else report_or_job
    out = io.StringIO()
    try:
        call_command(
            "import_patients", f"--undo={job}", "--json", *options, stdout=out, stderr=io.StringIO()
        )
    except SystemExit as stop:
        return int(stop.code or 0), json.loads(out.getvalue())
    return 0, json.loads(out.getvalue())


def undo_counts(report):
    return report["archived"], report["restored"], report["leftAlone"]


def change_by_clerk(patient, **changes):
    patients.change_patient(
        patient.pk, validate_details(changes, partial=True), by=None, source="portal"
    )


def test_new_patients_are_archived_and_changed_ones_restored(import_text):
    vague = ANNA | {"date_of_birth": "1984", "sex": "", "phone": ""}
    import_text(as_csv(vague, {"family_name": "Same", "ssn": "S"}))
    start = patients_by_id()
    _, report = import_text(as_csv(ANNA | MORE, BEN, {"family_name": "Same", "ssn": "S"}))
    assert counts(report) == {"updated": 1, "new": 1, "unchanged": 1}
    code, undone = undo(report)
    assert (code, undo_counts(undone), undone["left"]) == (0, (1, 1, 0), [])
    assert patients_by_id(pk__in=start) == start
    ben = Patient.objects.get(given_name="Ben")
    assert (ben.status, ben.version, ben.identifiers.count()) == (Status.ARCHIVED, 2, 1)
    assert Patient.objects.filter(status=Status.ACTIVE).count() == 2


def test_the_undo_is_in_the_log_the_outbox_and_billing(import_text, make_user):
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


def test_a_patient_of_several_rows_is_undone_once_and_wholly(import_text):
    import_text(as_csv(BEN))
    start = patients_by_id()
    _, report = import_text(
        as_csv(ANNA, BEN | {"city": "Salem"}, ANNA | {"city": "Lowell"}, BEN | {"driver": "D2"})
    )
    assert counts(report) == {"new": 1, "updated": 3}
    assert undo_counts(undo(report)[1]) == (1, 1, 0)
    assert patients_by_id(pk__in=start) == start


@with_transactions
def test_patients_changed_since_are_left_alone_and_listed(import_text):
    import_text(as_csv(ANNA))
    _, report = import_text(
        as_csv(ANNA | {"city": "Salem"}, BEN, {"family_name": "Third", "ssn": "T"})
    )
    anna, ben = Patient.objects.get(given_name="Anna"), Patient.objects.get(given_name="Ben")
    change_by_clerk(anna, email="new@example.org")
    change_by_clerk(
        ben,
        identifiers=[
            {"system": "ssn", "value": "999000002"},
            {"system": "passport", "value": "B7"},
        ],
    )
    before = patients_by_id(pk__in=[anna.pk, ben.pk])
    code, undone = undo(report)
    assert (code, undo_counts(undone)) == (1, (1, 0, 2))
    assert {left["patientId"] for left in undone["left"]} == {str(anna.pk), str(ben.pk)}
    assert {left["reason"] for left in undone["left"]} == {
        "Left alone: somebody changed this patient after the import."
    }
    assert patients_by_id(pk__in=before) == before


@with_transactions
def test_a_change_between_two_rows_about_one_person_is_not_lost(import_text, monkeypatch):
    """A clerk writes while the import is between its batches."""
    import_text(as_csv(ANNA))
    anna = Patient.objects.get()
    open_batch = job_store.JobProgressStore.batch

    def change_before_batch(self):
        if ImportJob.objects.filter(pk=self.job_id, last_row__gt=2).exists() and anna.version == 1:
            change_by_clerk(anna, email="clerk@example.org")
            anna.refresh_from_db()
        return open_batch(self)

    monkeypatch.setattr(job_store.JobProgressStore, "batch", change_before_batch)
    others = [{"family_name": f"Row{n}", "ssn": f"R{n}"} for n in range(600)]
    _, report = import_text(as_csv(ANNA | {"city": "Salem"}, *others, ANNA | {"driver": "D9"}))
    assert counts(report) == {"updated": 2, "new": 600}
    assert undo_counts(undo(report)[1]) == (600, 0, 1)
    anna.refresh_from_db()
    assert (anna.email, anna.city, anna.version) == ("clerk@example.org", "Salem", 4)


def test_a_second_undo_changes_nothing(import_text):
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
    end = patients_by_id()
    undo(first)
    _, dry_run = import_text(content, "--dry-run")
    code, again = import_text(content)
    assert (code, counts(again)) == (0, {"updated": 4, "duplicates": 1})
    assert counts(dry_run) == counts(again)
    assert patients_by_id() == end
    assert undo_counts(undo(again)[1]) == (0, 4, 0)
    assert Patient.objects.filter(status=Status.ACTIVE).count() == 1
    assert counts(import_text(content)[1])["updated"] == 4
    assert patients_by_id() == end


@with_transactions
def test_imports_are_undone_from_the_last_to_the_first(import_text):
    import_text(as_csv(BEN))
    start = patients_by_id()
    _, first = import_text(as_csv(ANNA, BEN | {"city": "Salem"}))
    middle = patients_by_id()
    _, second = import_text(as_csv(ANNA | MORE, BEN | {"driver": "D3"}))
    code, early = undo(first)
    assert (code, undo_counts(early)) == (1, (0, 0, 2))
    assert early["left"][0]["reason"].endswith("Undo that one first.")
    assert undo_counts(undo(second)[1]) == (0, 2, 0)
    assert patients_by_id() == middle
    assert undo_counts(undo(first)[1]) == (1, 1, 0)
    assert patients_by_id(pk__in=start) == start


def test_a_restored_patient_stays_when_the_undo_is_asked_for_again(import_text):
    _, report = import_text(as_csv(ANNA))
    undo(report)
    patients.restore_patient(Patient.objects.get().pk, by=None, source="portal")
    assert undo_counts(undo(report)[1]) == (1, 0, 0)
    assert Patient.objects.get().status == Status.ACTIVE


def test_a_patient_archived_by_a_clerk_is_not_restored_by_an_import(import_text):
    _, report = import_text(as_csv(ANNA, BEN))
    undo(report)
    anna = Patient.objects.get(given_name="Anna")
    patients.restore_patient(anna.pk, by=None, source="portal")
    patients.archive_patient(anna.pk, by=None, source="portal")
    assert counts(import_text(as_csv(ANNA, BEN))[1]) == {"unchanged": 1, "updated": 1}
    anna.refresh_from_db()
    assert anna.status == Status.ARCHIVED


def test_a_patient_registered_after_the_undo_is_not_registered_again(import_text):
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
    """Red when both may run: it would be chance which of them writes a patient last."""
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


def test_a_running_import_and_a_dry_run_are_not_undone(import_text, file, settings):
    _, report = import_text(as_csv(ANNA))
    job = ImportJob.objects.get()
    for status in ("running", "waiting"):
        ImportJob.objects.update(status=status)
        with pytest.raises(Conflict) as refused:
            services.undo_import(job.pk, by=None)
        assert "still runs" in refused.value.detail
    ImportJob.objects.update(status="done", dry_run=True)
    with pytest.raises(CommandError) as refused:
        undo(report)
    assert refused.value.returncode == 2
    assert Patient.objects.get().status == Status.ACTIVE


def test_an_unknown_import_is_named_as_such(db):
    with pytest.raises(NotFound):
        services.undo_import("018f428e-34f6-4707-8009-5ad742f901e7", by=None)


def test_a_stopped_import_can_be_undone(import_text):
    _, report = import_text(as_csv(ANNA))
    ImportJob.objects.update(status="failed")
    assert undo_counts(undo(report)[1]) == (1, 0, 0)


@pytest.fixture
def operator(client, make_user):
    client.force_login(make_user("operator", is_staff=True))
    return client


def test_the_page_undoes_and_shows_the_result(operator, import_text):
    _, report = import_text(as_csv(ANNA, BEN))
    change_by_clerk(Patient.objects.get(given_name="Ben"), city="Boston")
    url = f"/imports/{report['job']}/"
    assert "Undo it now" in operator.get(url).content.decode()
    assert operator.post(f"{url}undo/")["Location"] == url
    assert "every 1s" in operator.get(url, headers={"HX-Request": "true"}).content.decode()
    tasks.run_import(report["job"])
    page = operator.get(url).content.decode()
    assert "somebody changed this patient" in page
    assert "Undo it now" not in page
    assert set(Patient.objects.values_list("given_name", "status")) == {
        ("Anna", "archived"),
        ("Ben", "active"),
    }


def test_the_admin_undoes_and_says_what_it_cannot(operator, import_text):
    _, report = import_text(as_csv(ANNA))
    form = {"action": "undo", "_selected_action": [report["job"]]}
    assert (
        "is being undone"
        in operator.post("/admin/imports/importjob/", form, follow=True).content.decode()
    )
    tasks.run_import(report["job"])
    assert Patient.objects.get().status == Status.ARCHIVED
    ImportJob.objects.update(status="running")
    assert (
        "still runs"
        in operator.post("/admin/imports/importjob/", form, follow=True).content.decode()
    )


def test_a_front_desk_may_not_undo(client, front_desk, import_text):
    _, report = import_text(as_csv(ANNA))
    client.force_login(front_desk)
    assert client.post(f"/imports/{report['job']}/undo/").status_code == 403
    assert Patient.objects.get().status == Status.ACTIVE
