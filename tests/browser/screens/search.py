"""The list of patients, the search, the palette and dialogs."""

from playwright.sync_api import expect

from tests.browser.screens.studio import Studio
from tests.browser.steps import Staff


def take(studio: Studio) -> None:
    desk = studio.open_browser("frontdesk")
    for name in ("grace okafor", "jürgen müller", "robin ashby"):
        open_patient(desk, name)
    desk.open("/patients/")
    studio.take(desk, "patients", "Patients, with those that the user opened last")
    take_searches(studio, desk)
    take_what_opens(studio, desk)
    take_time_out(studio)


def open_patient(desk: Staff, name: str) -> None:
    desk.open(f"/patients/?q={name}")
    desk.page.locator("tbody a").first.click()
    expect(desk.page.locator(".app-banner")).to_be_visible()


def take_searches(studio: Studio, desk: Staff) -> None:
    desk.open("/patients/?q=muler jurgen")
    expect(desk.page.locator("tbody tr").first).to_contain_text("MÜLLER")
    studio.take(desk, "search-misspelt", "A misspelt name is found, and each hit says why")
    desk.open("/patients/?q=winter ada")
    studio.take(desk, "search-nobody", "Nobody found: what to try next, and the way to register")


def take_what_opens(studio: Studio, desk: Staff) -> None:
    keys = desk.page.keyboard
    desk.open("/dashboard/")
    desk.page.get_by_role("combobox", name="Find a patient").focus()
    keys.type("ma")
    expect(
        desk.page.get_by_role("listbox", name="Patients found").get_by_role("option").first
    ).to_be_visible()
    keys.press("ArrowDown")
    studio.take(desk, "suggestions", "Suggestions below the search box, which stands on every page")
    desk.open("/patients/")
    expect(desk.page.get_by_role("button", name="Go to a patient, page or action")).to_be_visible()
    keys.press("Control+k")
    keys.type("re")
    expect(desk.page.locator(".app-palette [aria-selected=true]")).to_be_visible()
    studio.take(desk, "palette", "The palette: any patient, page or action by keyboard")
    desk.open("/patients/")
    expect(desk.page.get_by_role("button", name="Go to a patient, page or action")).to_be_visible()
    keys.press("?")
    expect(desk.page.get_by_role("dialog", name="Keys")).to_be_visible()
    studio.take(desk, "keys", "All keys")


def take_time_out(studio: Studio) -> None:
    desk = studio.open_browser("frontdesk")
    desk.page.clock.install()
    desk.open("/patients/new/")
    desk.page.clock.fast_forward(29 * 60 * 1000)
    expect(desk.page.get_by_role("alertdialog")).to_be_visible()
    studio.take(
        desk, "time-out", "Two minutes before the session ends; what was typed is kept either way"
    )
