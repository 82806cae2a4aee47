"""Pairs of records that may be one person, and those that a user dismissed."""

from playwright.sync_api import expect

from tests.browser.screens.studio import Studio
from tests.browser.steps import Staff


def take(studio: Studio) -> None:
    desk = studio.open_browser("frontdesk")
    desk.open("/patients/duplicates/")
    desk.page.get_by_role("button", name="Find duplicates now").click()
    desk.page.get_by_role("link", name="Show the new list").click()
    expect(desk.page.locator("tbody").first).to_be_visible()
    studio.take(
        desk,
        "duplicates",
        "Records that may be one person, one above the other: the grade, why, what differs",
    )
    desk.page.get_by_role("button", name="Dismiss pair").first.click()
    expect(desk.page.get_by_role("button", name="Undo")).to_be_visible()
    studio.take(desk, "duplicates-undo", "A pair dismissed in one press, with an undo")
    desk.page.get_by_role("link", name="Dismissed pairs").click()
    expect(desk.page.get_by_role("button", name="Reopen pair")).to_be_visible()
    studio.take(desk, "duplicates-apart", "Dismissed pairs, by whom and why")
    take_merge(studio, desk)


def take_merge(studio: Studio, desk: Staff) -> None:
    """A pair compared, merged and taken apart again: later chapters meet both records."""
    desk.page.get_by_role("link", name="To be decided").click()
    desk.page.get_by_role("link", name="Compare and merge").first.click()
    expect(desk.page.get_by_role("heading", name="Merge two records")).to_be_visible()
    studio.take(
        desk,
        "merge",
        "Two records side by side: which one stays, and which value is right where they differ",
    )
    desk.page.get_by_label("Reason").fill("Insurance card and photo seen")
    desk.page.get_by_role("button", name="Merge into").click()
    expect(desk.page.get_by_text("was merged into this record")).to_be_visible()
    studio.take(
        desk,
        "merge-undo",
        "Merged: the record that stays has all identifiers, and the merge can be undone",
    )
    desk.page.get_by_role("link", name="MRN").last.click()
    expect(desk.page.get_by_text("stands on no list")).to_be_visible()
    studio.take(
        desk, "merge-old", "The other record is kept to read, and leads to the one that stays"
    )
    desk.page.get_by_role("button", name="Undo merge").click()
    expect(desk.page.get_by_text("stands on no list")).to_be_hidden()
