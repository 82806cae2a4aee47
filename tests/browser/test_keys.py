"""Single keys, their help, and the switch in the profile."""

import pytest
from playwright.sync_api import expect


def keys_dialog(person):
    return person.page.get_by_role("dialog", name="Keys")


def test_a_question_mark_shows_the_keys_and_escape_closes_them(desk):
    desk.open("/dashboard/")
    desk.page.keyboard.press("?")
    expect(keys_dialog(desk)).to_contain_text("Save the form, from any of its fields")
    desk.page.keyboard.press("Escape")
    expect(keys_dialog(desk)).to_have_count(0)


def test_keys_do_nothing_while_the_user_types(desk):
    desk.open("/patients/new/")
    desk.page.locator("#id_family_name").press("?")
    desk.page.locator("#id_family_name").press("/")
    expect(keys_dialog(desk)).to_have_count(0)
    expect(desk.page.locator("#id_family_name")).to_have_value("?/")


def test_single_keys_can_be_switched_off_and_on(desk):
    desk.open("/profile/")
    desk.page.get_by_role("button", name="Switch off").click()
    expect(desk.page.get_by_role("button", name="Switch on")).to_be_visible()
    desk.page.wait_for_load_state()  # With its scripts.
    desk.page.keyboard.press("?")
    desk.page.keyboard.press("Control+k")  # It needs a second key, and stays.
    expect(desk.page.locator(".app-palette")).to_be_visible()
    expect(keys_dialog(desk)).to_have_count(0)
    desk.page.keyboard.press("Escape")
    desk.page.get_by_role("button", name="Switch on").click()
    expect(desk.page.get_by_role("button", name="Switch off")).to_be_visible()
    desk.page.wait_for_load_state()
    desk.page.keyboard.press("?")
    expect(keys_dialog(desk)).to_be_visible()


def test_without_scripts_the_keys_are_a_page(staff, front_desk):
    person = staff(front_desk, scripts=False)
    person.page.get_by_role("contentinfo").get_by_role("link", name="Keys").click()
    expect(person.page.get_by_role("heading", name="Keys")).to_be_visible()
    expect(person.page.get_by_role("button", name="Go to a patient, page or action")).to_be_hidden()


@pytest.mark.parametrize("width", [1280, 320])
def test_keys_and_profile_are_accessible(staff, front_desk, width):
    person = staff(front_desk, width=width)
    person.open("/help/keys/")
    person.is_readable_by_all()
    person.open("/profile/")
    person.is_readable_by_all()
    person.page.get_by_role("button", name="Change password").click()
    expect(person.page.get_by_role("alert")).to_contain_text("Enter a new password.")
    person.is_readable_by_all()
    person.page.keyboard.press("?")
    expect(keys_dialog(person)).to_be_visible()
    person.is_readable_by_all()
