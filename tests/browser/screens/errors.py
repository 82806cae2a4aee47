"""Error pages, in the layout of every page."""

from playwright.sync_api import expect

from tests.browser.screens.studio import Studio


def take(studio: Studio) -> None:
    analyst = studio.sit_down("analyst")
    analyst.open("/patients/")
    expect(analyst.page.get_by_role("heading", name="You do not have the right to do this.")).to_be_visible()
    studio.take(analyst, "error-403", "No right to open a page, and whom to ask")
    desk = studio.sit_down("frontdesk")
    desk.open("/nowhere/")
    studio.take(desk, "error-404", "Nothing at this address")
