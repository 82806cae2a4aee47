"""Imports of unusual files, and such that wait or fail: workbooks, the worker away, a lost file."""

from io import BytesIO
from pathlib import Path

from openpyxl import Workbook
from playwright.sync_api import expect

from tests.browser.screens.imports import press, upload
from tests.browser.screens.studio import Studio
from tests.browser.steps import Staff

SHEET = [
    ["Surname", "Given name", "DOB", "Sex", "Post code", "Phone", "Notes"],
    ["Abara", "Ngozi", "1978-06-02", "F", "02115", 6175550101, "prefers mornings"],
    ["Brandt", "Jonas", "2015-11-23", "M", 1970, 6175550102, None],
    ["Castillo", "Inés", "1951-01-30", "F", 1851, 6175550103, None],
]
LONG = 30_000
LOST = b"Surname,Given name,DOB\nLost,Nina,1978-06-02\n"


def take(studio: Studio) -> None:
    person = studio.open_browser("operator")
    person.open("/imports/")
    person.page.get_by_label("File", exact=True).set_input_files(
        {
            "name": "scan.pdf",
            "mimeType": "application/pdf",
            "buffer": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
        }
    )
    press(person, "Upload")
    expect(person.page.get_by_role("alert")).to_be_visible()
    studio.take(
        person,
        "import-upload-wrong",
        "A file that cannot be read is refused at once, with what can be",
    )
    upload(person, workbook(), name="front-desk.xlsx")
    studio.take(
        person,
        "import-workbook",
        "The columns of an Excel workbook, with a word on zeros that it lost",
    )
    take_lost(studio, person)
    take_running(studio, person)


def workbook() -> bytes:
    book, file = Workbook(), BytesIO()
    for row in SHEET:
        book.active.append(row)
    book.save(file)
    return file.getvalue()


def take_lost(studio: Studio, person: Staff) -> None:
    person.open("/imports/")
    upload(person, LOST, name="lost.csv")
    with studio.system.without("-A portal worker"):
        press(person, "Try it")
        expect(person.page.get_by_text("Waits for the worker")).to_be_visible()
        studio.take(
            person, "import-waiting", "An import waits for the worker; the page may be closed"
        )
        lose_newest_file(studio)
    expect(person.page.get_by_text("It could not be finished.")).to_be_visible()
    studio.take(person, "import-failed", "An import that failed says why, and what to do")


def lose_newest_file(studio: Studio) -> None:
    folder = Path(studio.system.environment["PORTAL_DATA_DIR"]) / "imports"
    max(folder.iterdir(), key=lambda file: file.stat().st_mtime).unlink()


def take_running(studio: Studio, person: Staff) -> None:
    person.open("/imports/")
    rows = (f"Family{at},Given,1980-01-01,F,York" for at in range(LONG))
    upload(
        person, "\n".join(["Surname,Given name,DOB,Sex,Town", *rows]).encode(), name="district.csv"
    )
    press(person, "Try it")
    expect(person.page.get_by_text("s left")).to_be_visible()
    studio.take(
        person,
        "import-running",
        "A long file: rows a second, the time left, and the user may go elsewhere",
    )
    person.open("/imports/")
    studio.take(person, "imports", "All imports, and how each of them ended")
