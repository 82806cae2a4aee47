"""A file is imported and undone, by keyboard, without scripts, and readable at every step."""

import pytest
from playwright.sync_api import expect

from portal.imports.models import ImportJob
from portal.imports.services import run_job
from portal.patients.models import Patient, Source
from portal.patients.services import register_patient
from portal.patients.validation import validate_details
from tests.browser.steps import Staff
from tests.waits import wait_for

ROWS = """Surname,Given,Born,Town,Shoe size
Able,Ann,1990-01-01,York,38
Baker,Ben,30-02-1990,York,44
Cole,Cy,1970-05-05,,40
"""
PEOPLE = {"name": "people-of-the-old-system.csv", "mimeType": "text/csv", "buffer": ROWS.encode()}


@pytest.fixture
def operator(make_user, settings, tmp_path):
    settings.DATA_DIR = tmp_path
    return make_user("operator", full_name="Olu Operator", is_staff=True)


def run_waiting_jobs() -> None:
    """Does the worker's part, as soon as a job waits."""
    wait_for(lambda: ImportJob.objects.free().exists())
    for job in ImportJob.objects.free():
        run_job(job.pk)


def upload(person: Staff) -> None:
    person.open("/imports/")
    person.page.get_by_label("File", exact=True).set_input_files(PEOPLE)
    person.page.get_by_role("button", name="Upload").click()
    expect(person.page.get_by_role("button", name="Try it")).to_be_visible()


def press(person: Staff, name: str) -> None:
    person.page.get_by_role("button", name=name).click()


def tab_to(person: Staff, name: str, role: str = "button") -> None:
    """Presses Tab until the control of this name has the focus."""
    control = person.page.get_by_role(role, name=name).first
    for _ in range(60):
        person.page.keyboard.press("Tab")
        if control.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError(f"Tab does not come to {name}.")


def test_a_file_is_imported_and_undone_by_keyboard_alone(staff, operator):
    person = staff(operator)
    keys = person.page.keyboard
    person.open("/imports/")
    # The file dialog belongs to the system, so that keys cannot reach it.
    person.page.get_by_label("File", exact=True).set_input_files(PEOPLE)
    tab_to(person, "Upload")
    keys.press("Enter")
    expect(person.page.get_by_role("heading", name=PEOPLE["name"])).to_be_visible()
    tab_to(person, "Born becomes", role="combobox")
    keys.type("Date of birth")
    tab_to(person, "Try it")
    keys.press("Enter")
    expect(person.page.get_by_text("Trial: waiting")).to_be_visible()
    run_waiting_jobs()
    # The page follows the job without a reload.
    expect(person.page.get_by_text("Trial: done")).to_be_visible()
    expect(person.page.locator("table").get_by_text("There is no such date")).to_be_visible()
    assert not Patient.objects.exists()
    tab_to(person, "Import it now")
    keys.press("Enter")
    expect(person.page.get_by_role("heading", name="Import of")).to_be_visible()
    run_waiting_jobs()
    expect(person.page.get_by_text("Done", exact=True)).to_be_visible()
    assert Patient.objects.count() == 2
    person.page.locator("summary", has_text="Undo this import").focus()
    keys.press("Enter")
    tab_to(person, "Undo it now")
    keys.press("Enter")
    expect(person.page.get_by_text("Being undone")).to_be_visible()
    run_waiting_jobs()
    expect(person.page.locator(".nhsuk-tag", has_text="Undone")).to_be_visible()
    assert not Patient.objects.filter(status="active").exists()


def test_a_file_is_imported_without_scripts(staff, operator):
    person = staff(operator, scripts=False)
    upload(person)
    person.page.get_by_label("Born becomes").select_option("Date of birth")
    look_again = person.page.get_by_role("link", name="Look again")
    for button in ("Try it", "Import it now"):
        press(person, button)
        expect(look_again).to_be_visible()  # A page that opens after the job has no such link.
        run_waiting_jobs()
        look_again.click()
    expect(person.page.get_by_text("Done", exact=True)).to_be_visible()
    assert Patient.objects.count() == 2


def test_a_job_can_be_reopened_and_its_columns_changed(staff, operator):
    upload(staff(operator))
    person = staff(operator)
    person.open("/imports/")
    person.page.get_by_role("link", name=PEOPLE["name"]).click()
    press(person, "Try it")
    run_waiting_jobs()
    expect(person.page.get_by_text("Trial: done")).to_be_visible()
    person.page.get_by_role("link", name="2 Columns").click()
    person.page.get_by_label("Given becomes").select_option("Leave out")
    press(person, "Try it")
    run_waiting_jobs()
    expect(person.page.get_by_text("Nothing is read from: Given")).to_be_attached()


@pytest.fixture
def ann(operator):
    """Returns a patient with the name and date of birth of the first row."""
    details = {
        "family_name": "Able",
        "given_name": "Ann",
        "date_of_birth": "1990-01-01",
        "city": "Leeds",
    }
    return register_patient(validate_details(details), by=operator, source=Source.PORTAL)


def start_dry_run(person: Staff) -> None:
    """Uploads the file, sets the date of birth and runs the dry run."""
    upload(person)
    person.page.get_by_label("Born becomes").select_option("Date of birth")
    press(person, "Try it")
    expect(person.page.get_by_text("Trial: waiting")).to_be_visible()  # The page is opened before.
    run_waiting_jobs()


@pytest.mark.parametrize("scripts", [True, False])
def test_a_namesake_is_decided_in_the_review(staff, operator, ann, scripts):
    person = staff(operator, scripts=scripts)
    start_dry_run(person)
    if not scripts:
        person.page.get_by_role("link", name="Look again").click()
    person.page.get_by_role("link", name="Likely the same person as a patient: 1 row").click()
    expect(person.page.get_by_role("row", name="City York Leeds")).to_be_visible()
    person.page.get_by_label("Register a new person").check()
    press(person, "Keep these choices")
    expect(person.page.get_by_role("alert")).to_contain_text(
        "Row 2: say why this is another person."
    )
    person.page.get_by_label("Why it is another person").fill("Her cousin")
    press(person, "Keep these choices")
    expect(person.page.get_by_text("The choices are kept.")).to_be_visible()
    press(person, "Import it now")
    run_waiting_jobs()
    assert Patient.objects.filter(family_name="Able").count() == 2


SIMILAR_ROWS = """Surname,Given,Born,Town
Abel,Ann,1990-01-01,Łódź
Baker,Ben,1990-03-30,York
"""


@pytest.mark.parametrize("width", [1280, 320])
def test_possible_duplicates_are_decided_together(staff, operator, ann, width):
    person = staff(operator, width=width)
    person.open("/imports/")
    file = {"name": "old.csv", "mimeType": "text/csv", "buffer": SIMILAR_ROWS.encode("iso-8859-2")}
    person.page.get_by_label("File", exact=True).set_input_files(file)
    press(person, "Upload")
    expect(
        person.page.get_by_text("This file is not UTF-8; it is read as Windows-1250")
    ).to_be_visible()
    person.page.get_by_label("Encoding").select_option("ISO 8859-2 (Latin-2)")
    press(person, "Read it again")
    expect(person.page.get_by_text("Łódź")).to_be_visible()
    person.is_readable_by_all()
    person.page.get_by_label("Born becomes").select_option("Date of birth")
    press(person, "Try it")
    expect(person.page.get_by_text("Trial: waiting")).to_be_visible()
    run_waiting_jobs()
    expect(person.page.get_by_role("row", name="one letter off in the family name")).to_be_visible()
    press(person, "Import it now")
    expect(person.page.get_by_role("alert")).to_contain_text("Choose what becomes of the people")
    person.is_readable_by_all()
    person.page.get_by_role("link", name="4 Review").click()
    expect(person.page.get_by_text(f"MRN {ann.mrn}: probable")).to_be_visible()
    person.is_readable_by_all()
    person.page.get_by_role("link", name="Back to the trial").click()
    person.page.get_by_label("Hold them back").check()
    press(person, "Import it now")
    run_waiting_jobs()
    expect(
        person.page.get_by_role("cell", name="Nobody has said that it is another person.")
    ).to_be_visible()
    assert Patient.objects.count() == 2  # Ann as she was, and Ben.


@pytest.mark.parametrize("width", [1280, 320])
def test_every_step_is_readable_for_everybody(staff, operator, ann, width):
    person = staff(operator, width=width)
    person.open("/imports/")
    person.is_readable_by_all()
    press(person, "Upload")
    expect(person.page.get_by_role("alert")).to_contain_text("Choose a file.")
    person.is_readable_by_all()
    upload(person)
    person.is_readable_by_all()
    person.page.get_by_label("Given becomes").select_option("Family name")
    press(person, "Try it")
    expect(person.page.get_by_role("alert")).to_contain_text("“Surname” becomes “Family name” too.")
    person.is_readable_by_all()
    person.page.get_by_label("Given becomes").select_option("Given name")
    person.page.get_by_label("Born becomes").select_option("Date of birth")
    person.page.get_by_label("Save these columns as").fill("Old system")
    press(person, "Try it")
    expect(person.page.get_by_text("Trial: waiting")).to_be_visible()
    person.is_readable_by_all()
    run_waiting_jobs()
    expect(person.page.get_by_text("Trial: done")).to_be_visible()
    person.is_readable_by_all()
    person.page.get_by_role("link", name="4 Review").click()
    expect(person.page.get_by_role("heading", name="Review of")).to_be_visible()
    person.is_readable_by_all()
    person.page.get_by_label("Register a new person").check()
    press(person, "Keep these choices")
    expect(person.page.get_by_role("alert")).to_contain_text(
        "Row 2: say why this is another person."
    )
    person.is_readable_by_all()
    person.page.get_by_label("Leave the row out").check()
    press(person, "Keep these choices")
    expect(person.page.get_by_text("The choices are kept.")).to_be_visible()
    press(person, "Import it now")
    expect(person.page.get_by_role("heading", name="Import of")).to_be_visible()
    person.is_readable_by_all()
    run_waiting_jobs()
    expect(person.page.get_by_text("Done", exact=True)).to_be_visible()
    person.is_readable_by_all()
    upload(person)
    expect(person.page.get_by_text("This file was imported on")).to_be_visible()
    person.is_readable_by_all()
    person.open("/imports/columns/")
    person.is_readable_by_all()
