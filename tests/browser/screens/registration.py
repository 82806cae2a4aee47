"""Registering a patient, from the empty form to the choice about a possible duplicate."""

from playwright.sync_api import expect

from tests.browser.screens.studio import Studio

ADA = {"family_name": "Okafor", "given_name": "Ada", "born": ("15", "mar", "1984"), "sex": "Female"}
CONTACT = {"phone": "020 7946 0018", "postal_code": "LS1 4AP", "city": "Leeds", "country": "GB"}


def take(studio: Studio) -> None:
    desk = studio.open_browser("frontdesk")
    desk.register(**ADA, **CONTACT)
    desk.open("/patients/new/")
    studio.take(desk, "register", "Registering: one page, one column")
    desk.save()
    expect(desk.page.get_by_role("alert")).to_be_visible()
    studio.take(
        desk, "register-errors", "An empty form: each error beside its field and in the summary"
    )
    desk.open("/patients/new/")
    desk.fill_in(**{**ADA, "family_name": "Okafour", "sex": ""})
    panel = desk.page.locator("#similar")
    expect(panel.get_by_role("link", name="OKAFOR, Ada")).to_be_visible()
    studio.take(
        desk,
        "register-panel",
        "Who may be registered already, while the user types: the grade and why",
    )
    desk.fill_in(**ADA, **CONTACT)
    desk.save()
    expect(desk.page.get_by_role("alert").first).to_be_visible()
    studio.take(
        desk,
        "register-choice",
        "An explicit choice, with its reason, before a possible duplicate is registered",
    )
    desk = studio.open_browser("frontdesk", java_script_enabled=False)
    desk.open("/patients/new/")
    desk.fill_in(**ADA, **CONTACT)
    desk.save()
    words = (
        "Without scripts the same: the server says who may be registered already, "
        "and asks for the choice"
    )
    studio.take(desk, "register-without-scripts", words, has_scripts=False)
