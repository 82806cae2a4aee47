"""The worklist: walked by keyboard, pairs dismissed and reopened, with and without scripts."""

import pytest
from playwright.sync_api import expect

from portal.duplicates.scans import run_requested_scans, run_scan
from portal.patients.models import PossibleDuplicate
from portal.patients.services import register_patients
from portal.patients.validation import validate_details
from tests.browser.test_every_address import WIDTHS

PAGE = "/patients/duplicates/"
JANE = {
    "family_name": "Example",
    "given_name": "Jane",
    "date_of_birth": "1984-03-15",
    "sex": "female",
}
PEOPLE = [JANE, JANE | {"given_name": "Rita", "phone": "617 555 0100", "postal_code": "02139"}]
OTHERS = [JANE | {"family_name": "Other"}, JANE | {"family_name": "Other"}]


@pytest.fixture
def pairs(db):
    """Two pairs: one certain, one probable."""
    register_patients(
        [validate_details(person) for person in [*PEOPLE, *OTHERS]], by=None, source="import"
    )
    run_scan(by=None)


def is_readable_everywhere(person):
    for width in WIDTHS:
        person.page.set_viewport_size({"width": width, "height": 800})
        person.is_readable_by_all()
    person.page.set_viewport_size({"width": 1280, "height": 800})


def test_the_list_is_walked_with_arrows_and_enter_opens_the_record(desk, pairs):
    desk.open("/")
    desk.page.get_by_role("navigation", name="Main").get_by_role("link", name="Duplicates").click()
    expect(desk.page.locator("tbody")).to_have_count(2)
    expect(desk.page.locator("[aria-current=page]", has_text="Duplicates")).to_have_count(1)
    expect(
        desk.page.get_by_role("navigation", name="Main").locator("[aria-current=page]")
    ).to_have_count(1)
    is_readable_everywhere(desk)
    desk.page.get_by_role("combobox", name="Find a patient").focus()
    desk.page.keyboard.press("ArrowDown")
    desk.page.keyboard.press("ArrowDown")
    expect(desk.page.locator("tbody").nth(1).locator("[data-stop]")).to_be_focused()
    desk.page.keyboard.press("Enter")
    expect(desk.page.locator(".app-banner, h1").first).to_be_visible()


@pytest.mark.parametrize("scripts", [True, False])
def test_one_press_dismisses_a_pair_with_an_undo(staff, front_desk, pairs, scripts):
    desk = staff(front_desk, scripts=scripts)
    desk.open(f"{PAGE}?grade=probable")
    desk.page.get_by_role("button", name="Dismiss pair").click()
    expect(desk.page.get_by_role("status").filter(has_text="are two people")).to_be_visible()
    expect(desk.page.get_by_role("heading", name="No such pair")).to_be_visible()
    if scripts:
        is_readable_everywhere(desk)
    desk.page.get_by_role("button", name="Undo").click()
    expect(desk.page.locator("tbody")).to_have_count(1)
    assert PossibleDuplicate.objects.filter(state="open").count() == 2


def test_a_dismissed_pair_shows_who_and_why_and_can_be_reopened(desk, pairs, front_desk):
    desk.open(PAGE)
    desk.page.get_by_role("button", name="Dismiss pair").first.click()
    desk.page.get_by_role("link", name="Dismissed pairs").click()
    expect(desk.page.locator("tbody")).to_contain_text(str(front_desk))
    expect(desk.page.locator("tbody")).to_contain_text("no reason given")
    is_readable_everywhere(desk)
    desk.page.get_by_role("button", name="Reopen pair").click()
    expect(desk.page.get_by_role("heading", name="No dismissed pairs")).to_be_visible()


def test_the_first_scan_is_requested_here_and_its_progress_shown(desk):
    register_patients([validate_details(person) for person in OTHERS], by=None, source="import")
    desk.open(PAGE)
    expect(desk.page.get_by_role("heading", name="Nobody has looked yet")).to_be_visible()
    is_readable_everywhere(desk)
    desk.page.get_by_role("button", name="Find duplicates now").click()
    expect(desk.page.get_by_text("Waits for the worker")).to_be_visible()
    is_readable_everywhere(desk)
    run_requested_scans()
    expect(desk.page.get_by_text("1 pair is new on the list")).to_be_visible()
    is_readable_everywhere(desk)
    desk.page.get_by_role("link", name="Show the new list").click()
    expect(desk.page.locator("tbody")).to_have_count(1)
