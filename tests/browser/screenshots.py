"""`make screenshots`: pictures of the pages for the docs, taken from a whole portal with demo data."""

import os
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

from tests.browser.steps import Staff
from tests.end_to_end.system import ROOT, System, running
from tests.waiting import wait_for

FOLDER = ROOT / "docs" / "screens"
SIZE = {"width": 1120, "height": 720}
ADA = {"family_name": "Okafor", "given_name": "Ada", "born": ("15", "mar", "1984"), "sex": "Female"}
CONTACT = {"phone": "020 7946 0018", "city": "Leeds", "postal_code": "LS1 4AP"}
FILE = "family_name,given_name,date_of_birth,sex\nHartmann,Ida,1979-02-11,female\nBaker,Ben,30-02-1990,male\n"


def main() -> None:
    os.environ["CLINIC_NAME"] = "Riverside Clinic"
    folder = tempfile.TemporaryDirectory(prefix="portal-screens-")
    with folder as data, running(Path(data), kafka="embedded") as system, sync_playwright() as playwright:
        flags = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=flags)
        page = browser.new_context(base_url=system.address, viewport=SIZE, timezone_id="UTC").new_page()
        take_all(Staff(page), system)
        browser.close()


def take_all(person: Staff, system: System) -> None:
    """Every page once, in the order of a working day."""
    page = person.page
    wait_for(lambda: system.figures()["totals"]["active"] and not system.figures()["billing"]["pending"], seconds=60)
    person.open("/sign-in/")
    take(page, "sign-in")
    person.sign_in("operator@demo.example", system.password)
    person.open("/patients/")
    take(page, "patients")
    person.open("/patients/new/")
    person.save()
    take(page, "register-errors")
    person.open("/patients/new/")
    person.fill_in(**ADA, **CONTACT)
    take(page, "register")
    address = person.register(**ADA, **CONTACT)
    expect(page.get_by_text("Billing: active")).to_be_visible()
    take(page, "patient")
    person.open(f"{address}edit/")
    person.fill_in(city="York")
    person.save()
    for tab in ("billing", "history"):
        person.open(f"{address}{tab}/")
        take(page, tab)
    take_import(page)
    person.open("/dashboard/")
    expect(page.locator(".uplot").first).to_be_visible()
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    take(page, "dashboard")


def take_import(page: Page) -> None:
    page.goto("/imports/")
    page.get_by_label("File", exact=True).set_input_files(
        {"name": "people.csv", "mimeType": "text/csv", "buffer": FILE.encode()}
    )
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_role("button", name="Try it")).to_be_visible()
    take(page, "import-columns")
    page.get_by_role("button", name="Try it").click()
    expect(page.get_by_text("Trial: done")).to_be_visible(timeout=20_000)
    take(page, "import")


def take(page: Page, name: str) -> None:
    """From the top of the page, without the caret."""
    page.evaluate("scrollTo(0, 0)")
    FOLDER.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=FOLDER / f"{name}.png", animations="disabled", caret="hide")
    print(f"docs/screens/{name}.png", flush=True)


if __name__ == "__main__":
    sys.exit(main())
