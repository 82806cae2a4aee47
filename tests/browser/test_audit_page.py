"""The audit page in a browser: an auditor finds who opened a record; every state is accessible."""

import csv

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from portal.patients.audit import record_access
from portal.patients.models import AccessRecord
from portal.patients.services import change_patient, register_patient


@pytest.fixture(autouse=True)
def _one_day(monkeypatch):
    """Keeps the page at the day on which the test began, also over midnight."""
    today = timezone.localdate()
    monkeypatch.setattr(timezone, "localdate", lambda *_: today)


@pytest.fixture
def auditor(make_user):
    return make_user("auditor", full_name="Ada Auditor")


@pytest.fixture
def patients(front_desk):
    """Five patients, the first corrected; the desk saw all in a list and opened the last."""
    made = [
        register_patient({"family_name": name}, by=front_desk, source="portal")
        for name in ("Able", "Baker", "Charlie", "Delta", "Echo")
    ]
    corrections = {"phone": "555 0100", "address_line1": "1 Main St"}
    change_patient(made[0].pk, corrections, by=front_desk, source="api")
    record_access(front_desk, [patient.pk for patient in made], action="list", channel="portal")
    record_access(front_desk, [made[-1].pk], action="open", channel="portal")
    return made


@pytest.mark.parametrize("width", [1280, 320])
def test_every_state_is_readable_by_all(staff, auditor, patients, make_user, width):
    person = staff(auditor, width=width)
    seen = AccessRecord.objects.filter(action="list").latest("id")
    for place in (
        "",
        f"{seen.pk}/",
        "?door=import",
        "?patient=nobody&since=30+feb",
        "?since=&after=1.r1",
    ):
        person.open(f"/audit/{place}")
        person.is_readable_by_all()
    stranger = staff(make_user("clinician"), width=width)
    stranger.open("/audit/")
    expect(
        stranger.page.get_by_role("heading", name="You do not have the right to do this.")
    ).to_be_visible()
    stranger.is_readable_by_all()


@pytest.mark.parametrize("scripts", [True, False])
def test_the_filters_find_who_opened_a_record(staff, auditor, front_desk, patients, scripts):
    person = staff(auditor, scripts=scripts)
    person.open("/audit/")
    person.page.get_by_label("Patient", exact=True).fill(patients[-1].mrn)
    person.page.get_by_label("Action", exact=True).select_option("Opened the record")
    person.page.get_by_role("button", name="Show").click()
    rows = person.page.get_by_role("row")
    expect(rows).to_have_count(2)
    expect(rows.nth(1)).to_contain_text(front_desk.email)
    person.page.get_by_role("link", name="Today").click()
    expect(rows.nth(1)).to_contain_text(patients[-1].mrn)
    expect(person.page.get_by_label("Patient", exact=True)).to_have_value(patients[-1].mrn)


@pytest.mark.parametrize("scripts", [True, False])
def test_a_list_opens_to_all_its_patients(staff, auditor, patients, scripts):
    person = staff(auditor, scripts=scripts)
    person.open("/audit/?kind=r")
    person.page.get_by_role("link", name="5 patients").first.click()
    for patient in patients:
        expect(person.page.get_by_role("link", name=patient.mrn).first).to_be_visible()
    if scripts:
        person.is_readable_by_all()


def test_the_shown_entries_are_exported_as_a_file(staff, auditor, patients):
    person = staff(auditor)
    person.open("/audit/?kind=w&action=update")
    with person.page.expect_download() as download:
        person.page.get_by_role("link", name="Export as CSV").click()
    with open(download.value.path(), newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["what"], row["mrns"], row["door"]) for row in rows] == [
        ("Changed phone, address line 1", patients[0].mrn, "api")
    ]
    assert download.value.suggested_filename.startswith("audit-")


def test_the_arrows_walk_the_rows_and_enter_opens(staff, auditor, patients):
    person = staff(auditor)
    person.open("/audit/?kind=w")
    page = person.page
    page.get_by_role("link", name=patients[0].mrn).first.focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("link", name=patients[-1].mrn)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Patient", exact=True).get_by_text("ECHO")).to_be_visible()
