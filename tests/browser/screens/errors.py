"""Error pages, each brought about as it happens at work."""

from playwright.sync_api import expect

from tests.browser.screens.import_failures import lose_newest_file
from tests.browser.screens.imports import press, upload
from tests.browser.screens.operations import id_of
from tests.browser.screens.studio import Studio
from tests.browser.steps import Staff

DELETED = """DELETE FROM patients_idempotencykey WHERE patient_id = %s;
    DELETE FROM billing_billingaccount WHERE patient_id = %s;
    DELETE FROM patients_patient WHERE id = %s"""
BROKEN = "ALTER TABLE imports_mappingprofile RENAME TO imports_mappingprofile_away"
MENDED = "ALTER TABLE imports_mappingprofile_away RENAME TO imports_mappingprofile"
KNOWN = b"Surname,Given name,DOB\nHale,Nora,1971-01-09\n"
OTHER = b"Family,First\nHale,Nora\n"


def take(studio: Studio) -> None:
    analyst, operator = studio.open_browser("analyst"), studio.open_browser("operator")
    analyst.open("/patients/")
    show(
        studio,
        analyst,
        "error-403",
        "You do not have the right to do this.",
        "No right to open a page; whom to ask",
    )
    operator.open("/nowhere/")
    show(
        studio,
        operator,
        "error-404",
        "There is nothing at this address.",
        "Nothing at this address",
    )
    take_meanwhile(studio, operator)
    take_imports(studio, operator)
    studio.execute_sql(BROKEN)
    operator.open("/imports/columns/")
    show(
        studio,
        operator,
        "error-500",
        "Something went wrong on our side.",
        "A bug, and what to tell an operator",
    )
    studio.execute_sql(MENDED)


def take_meanwhile(studio: Studio, operator: Staff) -> None:
    """Takes the errors of a patient whom another user changed or deleted meanwhile."""
    address = operator.register(family_name="Tanaka", given_name="Yuki")
    operator.open(address)
    studio.execute_sql("UPDATE patients_patient SET city = 'York' WHERE id = %s", id_of(address))
    press(operator, "Archive")
    words = "Archiving while another user changes the patient: look again first"
    show(studio, operator, "error-412", "Someone else changed this meanwhile.", words)
    studio.execute_sql(DELETED, *[id_of(address)] * 3)
    operator.open(address)
    show(
        studio,
        operator,
        "error-410",
        "This is no longer there.",
        "A record that was deleted for good",
    )


def take_imports(studio: Studio, operator: Staff) -> None:
    operator.open("/imports/")
    upload(operator, KNOWN, name="known.csv")
    operator.page.get_by_label("Save these columns as").fill("Another system")
    press(operator, "Try it")
    expect(operator.page.get_by_text("Trial: done")).to_be_visible()
    lose_newest_file(studio)
    press(operator, "Import it now")
    words = "A trial whose file is not kept any more cannot be imported: what to do instead"
    show(studio, operator, "error-409", "This does not fit what is already there.", words)
    operator.open("/imports/")
    upload(operator, OTHER, name="other.csv")
    address = operator.page.url
    operator.open("/imports/columns/")
    saved = (
        operator.page.locator("section", has_text="Another system")
        .locator("form")
        .first.get_attribute("action")
    )
    number = next(part for part in saved.split("/") if part.isdecimal())
    operator.open(f"{address}?profile={number}")
    show(
        studio,
        operator,
        "error-422",
        "This cannot be read.",
        "Saved columns that do not fit this file",
    )


def show(studio: Studio, person: Staff, name: str, title: str, words: str) -> None:
    expect(person.page.get_by_role("heading", level=1, name=title)).to_be_visible()
    studio.take(person, name, words)
