"""Suggestions below the search box, which stands on every page."""

import pytest
from playwright.sync_api import expect

from portal.patients.services import register_patient


@pytest.fixture
def smiths(db):
    names = ["Abel", "Brook", "Clay"]
    return [
        register_patient({"family_name": "Smith", "given_name": name}, by=None, source="api")
        for name in names
    ]


def type_into_box(person, text):
    person.open("/dashboard/")
    box = person.page.get_by_role("combobox", name="Find a patient")
    box.focus()
    person.page.keyboard.type(text)
    return box


def options(person):
    return person.page.get_by_role("listbox", name="Patients found").get_by_role("option")


def test_two_arrow_keys_and_enter_open_the_second_suggestion(desk, smiths):
    box = type_into_box(desk, "smith")
    expect(options(desk).first).to_contain_text("SMITH, Abel")
    for key in ("ArrowDown", "ArrowDown"):
        desk.page.keyboard.press(key)
    expect(box).to_be_focused()
    expect(desk.page.locator("[aria-selected=true]")).to_contain_text("SMITH, Brook")
    desk.page.keyboard.press("Enter")
    expect(desk.page).to_have_url(f"/patients/{smiths[1].pk}/")


def test_enter_without_a_suggestion_searches(desk, smiths):
    type_into_box(desk, "smith")
    expect(options(desk).first).to_be_visible()
    desk.page.keyboard.press("Enter")
    expect(desk.page).to_have_url("/patients/?q=smith")


def test_escape_closes_the_list_and_leaves_the_text(desk, smiths):
    box = type_into_box(desk, "smith")
    expect(box).to_have_attribute("aria-expanded", "true")
    desk.page.keyboard.press("Escape")
    expect(options(desk)).to_have_count(0)
    expect(box).to_have_attribute("aria-expanded", "false")
    expect(box).to_have_value("smith")


def test_suggestions_close_when_the_box_is_left(desk, smiths):
    type_into_box(desk, "smith")
    expect(options(desk).first).to_be_visible()
    desk.page.keyboard.press("Tab")
    desk.page.keyboard.press("Tab")
    expect(options(desk)).to_have_count(0)


def test_a_text_that_finds_nobody_offers_to_register(desk):
    type_into_box(desk, "okafor ada")
    options(desk).filter(has_text="Register “okafor ada”").click()
    expect(desk.page.locator("#id_family_name")).to_have_value("Okafor")


@pytest.mark.parametrize("width", [1280, 320])
def test_suggestions_are_accessible(staff, front_desk, smiths, width):
    person = staff(front_desk, width=width)
    type_into_box(person, "smith")
    expect(options(person).first).to_be_visible()
    person.page.keyboard.press("ArrowDown")
    person.is_readable_by_all()
