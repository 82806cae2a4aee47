"""Each page is accessible: axe finds nothing, and nothing is wider than a screen of 320 px."""

import pytest
from django.core.files.base import File
from playwright.sync_api import expect

from portal.analytics import selectors
from portal.analytics.client import FiguresClient
from portal.imports.services import run_job, start_import
from portal.patients.models import Source
from portal.patients.services import change_patient, register_patient
from tests.browser.figures import run_processor

JANE = {
    "family_name": "Featherstonehaugh-Wolfeschlegelsteinhausen",
    "given_name": "Jane",
    "email": "jane.featherstonehaugh.wolfeschlegelsteinhausen@example.org",
    "date_of_birth": "2008-04-05",
    "identifiers": [{"system": "passport", "value": "P123456"}],
}
PAGES = [
    "",
    "new/",
    "{id}/",
    "{id}/edit/",
    "{id}/history/",
    "{id}/billing/",
    "?q=nobody+of+this+name",
]
TABS = ["timeline/", "identifiers/", "access/", "access/?before=1", "label/"]
PAST = [
    "history/as-it-was/?version=1",
    "history/as-it-was/?version=9",
    "history/as-it-was/?on=1/1/1999",
    "history/as-it-was/?on=30/2/1999&at=99",
]


@pytest.fixture
def operator(make_user):
    return make_user("operator", full_name="Olu Operator", is_staff=True)


@pytest.fixture
def patient(operator):
    made = register_patient(JANE, by=operator, source=Source.PORTAL)
    return change_patient(made.pk, {"city": "Boston"}, by=operator, source=Source.API)


@pytest.fixture
def bad_import(operator, tmp_path):
    path = tmp_path / "a-file-with-a-rather-long-name-that-has-no-place-to-break.csv"
    path.write_text(
        "family_name,given_name,date_of_birth\nAble,Ann,1990-01-01\nBaker,Ben,30-02-1990\n"
    )
    with path.open("rb") as file:
        job = start_import(File(file, path.name), by=operator, dry_run=True)
    run_job(job.pk)
    return job


@pytest.mark.parametrize("width", [1280, 320])
def test_patients(staff, operator, patient, width):
    person = staff(operator, width=width)
    for page in [*PAGES, *("{id}/" + part for part in [*TABS, *PAST])]:
        person.open(f"/patients/{page.format(id=patient.pk)}")
        person.is_readable_by_all()


@pytest.mark.parametrize("width", [1280, 320])
def test_imports(staff, operator, bad_import, width):
    person = staff(operator, width=width)
    for page in ("/imports/", f"/imports/{bad_import.pk}/"):
        person.open(page)
        person.is_readable_by_all()


@pytest.mark.parametrize("width", [1280, 320])
def test_dashboard(staff, operator, width, monkeypatch):
    with run_processor() as processor:
        monkeypatch.setattr(selectors, "client", FiguresClient(processor.address))
        person = staff(operator, width=width)
        person.open("/dashboard/")
        expect(person.page.locator(".uplot").first).to_be_visible()
        person.is_readable_by_all()


@pytest.mark.parametrize("width", [1280, 320])
def test_sign_in_and_errors(staff, make_user, width):
    stranger = staff(width=width)
    stranger.open("/sign-in/")
    stranger.is_readable_by_all()
    stranger.open("/nowhere/")
    expect(
        stranger.page.get_by_role("heading", name="There is nothing at this address.")
    ).to_be_visible()
    stranger.is_readable_by_all()
    analyst = staff(make_user("analyst"), width=width)
    analyst.open("/patients/")
    expect(
        analyst.page.get_by_role("heading", name="You do not have the right to do this.")
    ).to_be_visible()
    analyst.is_readable_by_all()
