"""Sign-in in a browser."""

import pytest
from playwright.sync_api import expect

from tests.portal.conftest import PASSWORD


def test_sign_in_leads_on_to_the_wanted_page(staff, front_desk):
    person = staff()
    person.open("/patients/new/")
    person.page.get_by_label("E-mail").fill(front_desk.email)
    person.page.get_by_label("Password", exact=True).fill(PASSWORD)
    person.page.keyboard.press("Enter")
    expect(person.page).to_have_url("/patients/new/")


@pytest.mark.parametrize("email", ["frontdesk@clinic.example", "nobody@clinic.example"])
def test_a_wrong_password_and_an_unknown_user_get_the_same_words(staff, front_desk, email):
    person = staff()
    person.open("/sign-in/")
    person.page.get_by_label("E-mail").fill(email)
    person.page.get_by_label("Password", exact=True).fill("not the password")
    person.page.keyboard.press("Enter")
    expect(person.page.get_by_role("alert")).to_contain_text("E-mail or password is wrong.")
    expect(person.page).to_have_title("Error: Sign in – Patient Portal")
    expect(person.page.get_by_label("E-mail")).to_have_value(email)
    person.is_readable_by_all()


def test_the_password_can_be_shown(staff):
    person = staff()
    person.open("/sign-in/")
    person.page.get_by_label("Password", exact=True).fill("seen")
    person.page.get_by_role("button", name="Show password").click()
    expect(person.page.get_by_label("Password", exact=True)).to_have_attribute("type", "text")


def test_after_sign_out_the_pages_are_closed(desk):
    desk.page.locator(".app-menu summary").click()
    desk.page.get_by_role("button", name="Sign out").click()
    expect(desk.page).to_have_title("Sign in – Patient Portal")
    desk.open("/patients/")
    expect(desk.page).to_have_title("Sign in – Patient Portal")
