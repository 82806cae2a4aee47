"""The palette: anything, from anywhere, without a mouse."""

import pytest
from playwright.sync_api import expect

from portal.patients.services import register_patient
from tests.browser.steps import JANE
from tests.waits import wait_for

ADA = {"family_name": "Okafor", "given_name": "Ada", "date_of_birth": "1984-03-15"}


@pytest.fixture
def ada(db):
    return register_patient(ADA, by=None, source="command")


def open_palette(person):
    button = person.page.get_by_role("button", name="Go to a patient, page or action")
    expect(button).to_be_visible()  # Scripts run.
    person.page.keyboard.press("Control+k")
    box = person.page.get_by_role("combobox", name="Patient, page or action")
    expect(box).to_be_focused()
    return box


def marked(person):
    return person.page.locator(".app-palette [aria-selected=true]")


def test_a_patient_opened_before_is_there_at_once_and_one_enter_away(desk, ada):
    desk.open(f"/patients/{ada.pk}/")
    desk.open("/dashboard/")
    open_palette(desk)
    expect(marked(desk)).to_contain_text("OKAFOR, Ada")
    desk.page.keyboard.press("Enter")
    expect(desk.page).to_have_url(f"/patients/{ada.pk}/")


@pytest.mark.parametrize("typed", ["", "a"])
def test_a_quick_enter_goes_where_the_mark_is_and_the_mark_does_not_move(desk, ada, typed):
    """Also while the recent patients are still loading, and when they arrive."""
    desk.open(f"/patients/{ada.pk}/")
    desk.open("/dashboard/")
    held = []
    desk.page.route("**/recent/**", lambda route: held.append(route))
    box = open_palette(desk)
    wait_for(lambda: desk.page.evaluate("1") and held)
    expect(marked(desk)).to_have_count(0)
    desk.page.keyboard.press("Enter")
    expect(box).to_be_focused()
    box.type(typed)
    before = marked(desk).all_text_contents()
    held[0].continue_()
    expect(desk.page.get_by_role("option", name="OKAFOR, Ada")).to_be_visible()
    expect(marked(desk)).to_contain_text(before[0] if before else "OKAFOR, Ada")


def test_a_page_and_an_action_are_found_by_the_beginnings_of_their_words(desk):
    for typed, address in {
        "reg pat": "/patients/new/",
        "dashb": "/dashboard/",
        "profile": "/profile/",
    }.items():
        open_palette(desk).type(typed)
        expect(marked(desk)).to_have_count(1)
        desk.page.keyboard.press("Enter")
        expect(desk.page).to_have_url(address)


def test_an_action_of_the_page_is_done_from_the_palette(desk):
    desk.open(desk.register())
    open_palette(desk).type("archive")
    desk.page.keyboard.press("Enter")
    expect(desk.page.get_by_role("status").filter(has_text="SMITH, Jane")).to_contain_text(
        "is archived"
    )


def test_escape_closes_it_and_the_keyboard_is_where_it_was(desk):
    desk.open("/patients/new/")
    desk.fill_in(family_name=JANE["family_name"])
    desk.page.locator("#id_given_name").focus()
    open_palette(desk)
    desk.page.keyboard.press("Escape")
    expect(desk.page.locator(".app-palette")).to_have_count(0)
    expect(desk.page.locator("#id_given_name")).to_be_focused()
    expect(desk.page.locator("#id_family_name")).to_have_value("Smith")


def test_a_patient_never_opened_is_found_while_one_types(desk, ada):
    open_palette(desk).type("oka")
    expect(marked(desk)).to_contain_text("OKAFOR, Ada")
    desk.page.keyboard.press("Enter")
    expect(desk.page).to_have_url(f"/patients/{ada.pk}/")


def test_a_page_that_is_meant_stays_marked_when_patients_come_in(desk):
    register_patient({**ADA, "family_name": "Dash"}, by=None, source="command")
    open_palette(desk).type("dash")
    expect(desk.page.get_by_role("option", name="DASH, Ada")).to_be_visible()
    expect(marked(desk)).to_have_text("Dashboard")


def test_a_search_without_hits_leads_on(desk):
    open_palette(desk).type("xyzzy")
    expect(marked(desk)).to_contain_text("Search for “xyzzy”")
    desk.page.keyboard.press("ArrowDown")
    desk.page.keyboard.press("Enter")
    expect(desk.page.locator("#id_family_name")).to_have_value("Xyzzy")


def test_signing_out_from_the_palette(desk):
    open_palette(desk).type("sign out")
    desk.page.keyboard.press("Enter")
    expect(desk.page).to_have_title("Sign in – Patient Portal")


def test_the_palette_offers_only_what_the_user_may_do(staff, make_user):
    analyst = staff(make_user("analyst"))
    analyst.open("/dashboard/")
    analyst.page.keyboard.press("Control+k")
    palette = analyst.page.locator(".app-palette")
    expect(palette.get_by_role("option", name="Dashboard")).to_be_visible()
    expect(palette.get_by_role("option", name="Register a patient")).to_have_count(0)
    expect(palette.get_by_role("option", name="Patients")).to_have_count(0)
    analyst.page.keyboard.type("patients")
    expect(palette).to_contain_text("Nothing found.")


@pytest.mark.parametrize("width", [1280, 320])
def test_the_palette_is_accessible(staff, front_desk, ada, width):
    person = staff(front_desk, width=width)
    person.open(f"/patients/{ada.pk}/")
    person.page.keyboard.press("Control+k")  # On a narrow screen there is no button for it.
    expect(marked(person)).to_be_visible()
    person.is_readable_by_all()
