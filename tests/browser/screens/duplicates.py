"""Pairs of records that may be one person, and those that somebody set apart."""

from playwright.sync_api import expect

from tests.browser.screens.studio import Studio


def take(studio: Studio) -> None:
    desk = studio.sit_down("frontdesk")
    desk.open("/patients/duplicates/")
    desk.page.get_by_role("button", name="Find duplicates now").click()
    desk.page.get_by_role("link", name="Show the new list").click()
    expect(desk.page.locator("tbody").first).to_be_visible()
    studio.take(desk, "duplicates", "Records that may be one person, one above the other: the grade, why, what differs")
    desk.page.get_by_role("button", name="Two people").first.click()
    expect(desk.page.get_by_role("button", name="Undo")).to_be_visible()
    studio.take(desk, "duplicates-undo", "Two people: said in one press, with an undo")
    desk.page.get_by_role("link", name="Set apart").click()
    expect(desk.page.get_by_role("button", name="Put back on the list")).to_be_visible()
    studio.take(desk, "duplicates-apart", "Who was set apart, by whom and why")
