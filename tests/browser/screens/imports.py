"""An import from the upload to its undo."""

from playwright.sync_api import expect

from tests.browser.screens.studio import Studio
from tests.browser.steps import Staff

ROWS = """Surname,Given name,DOB,Sex,Town,Telephone,Insurance,Shoe size
Abara,Ngozi,1978-06-02,F,Boston,617 555 0101,INS-700101,38
Brandt,Jonas,23/11/2015,M,Salem,617 555 0102,INS-700102,33
Castillo,Inés,30-Jan-1951,F,Lowell,,INS-700103,37
Dubois,Marc,31-02-1990,M,Boston,617 555 0104,INS-700104,44
Eriksen,,14-Sep-2003,,Quincy,617 555 0105,INS-700105,41
Lovell,Maud,3 Apr 1962,F,Leeds,020 7946 0055,INS-700106,39
Lovel,Maud,3 Apr 1962,F,York,,INS-700107,39
"""
MAUD = {
    "family_name": "Lovell",
    "given_name": "Maud",
    "born": ("3", "apr", "1962"),
    "sex": "Female",
}


def take(studio: Studio) -> None:
    person = studio.open_browser("operator")
    person.register(**MAUD, city="York", phone="020 7946 0055")
    person.open("/imports/")
    studio.take(person, "import-upload", "Imports: upload a CSV, an Excel workbook or FHIR")
    upload(person, ROWS.encode())
    studio.take(
        person, "import-columns", "What becomes of each column: guessed by its name, set, and saved"
    )
    person.page.get_by_label("Save these columns as").fill("Old practice system")
    press(person, "Try it")
    expect(person.page.get_by_text("Trial: done")).to_be_visible()
    studio.take(person, "import-trial", "The trial says what would happen; nothing is written yet")
    take_review(studio, person)
    press(person, "Import it now")
    expect(person.page.get_by_text("Done", exact=True)).to_be_visible()
    studio.take(
        person,
        "import-report",
        "The report: counts, and every refused row with its reason, also as a file",
    )
    person.page.get_by_text("Undo this import").click()
    press(person, "Undo it now")
    expect(person.page.locator(".nhsuk-tag").get_by_text("Undone", exact=True)).to_be_visible()
    studio.take(person, "import-undone", "The import taken back")
    person.open("/imports/columns/")
    studio.take(
        person,
        "import-saved-columns",
        "Saved columns: the next file with this header gets them by itself",
    )


def take_review(studio: Studio, person: Staff) -> None:
    person.page.get_by_role("link", name="4 Review").click()
    expect(person.page.get_by_role("heading", name="Review of")).to_be_visible()
    studio.take(person, "import-review", "A row beside the patient it may be: a person decides")
    person.page.get_by_label("Leave the row out").first.check()
    press(person, "Keep these choices")
    expect(person.page.get_by_text("The choices are kept.")).to_be_visible()
    person.page.get_by_role("link", name="May be registered already").click()
    expect(person.page.get_by_role("heading", name="Row 8")).to_be_visible()
    studio.take(
        person,
        "import-review-alike",
        "A new person who may be registered already: the grade, and why",
    )
    person.page.get_by_role("link", name="3 Trial").click()
    person.page.get_by_label("Hold them back").check()


def upload(person: Staff, content: bytes, *, name: str = "old-practice.csv") -> None:
    file = {"name": name, "mimeType": "application/octet-stream", "buffer": content}
    person.page.get_by_label("File", exact=True).set_input_files(file)
    press(person, "Upload")
    expect(person.page.get_by_role("button", name="Try it")).to_be_visible()


def press(person: Staff, name: str) -> None:
    person.page.get_by_role("button", name=name).click()
