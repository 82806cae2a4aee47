"""Every error is an accessible page in the layout that says what to do."""

import pytest
from playwright.sync_api import expect

from portal import errors
from portal.accounts.rules import ANYONE, allow
from portal.staff import urls
from tests.portal.conftest import PASSWORD

KINDS = [
    errors.InvalidInput,
    errors.NotAllowed,
    errors.NotFound,
    errors.Conflict,
    errors.Gone,
    errors.StaleVersion,
    errors.TooLarge,
    errors.Unprocessable,
    errors.TooMany,
    errors.Unavailable,
    errors.OurFault,
]


@pytest.fixture
def fail(monkeypatch):
    """Makes the page of keys answer with an error of a kind."""

    def fail_with(kind):
        @allow(ANYONE)
        def view(request):
            raise kind("A word about what exactly is the matter.")

        entry = next(pattern for pattern in urls.urlpatterns if pattern.name == "keys")
        monkeypatch.setattr(entry, "callback", view)

    return fail_with


@pytest.mark.parametrize("width", [1280, 320])
def test_each_error_page_is_accessible_and_leads_on(staff, front_desk, fail, width):
    person = staff(front_desk, width=width)
    for kind in KINDS:
        fail(kind)
        person.open("/help/keys/")
        expect(person.page.get_by_role("heading", level=1)).to_have_text(kind.title)
        expect(person.page.get_by_text("A word about what exactly is the matter.")).to_be_visible()
        expect(
            person.page.locator("main").get_by_role("link", name="Find a patient")
        ).to_be_visible()
        person.is_readable_by_all()


@pytest.mark.parametrize("width", [1280, 320])
def test_too_many_attempts_say_how_long_to_wait(staff, front_desk, width):
    person = staff(width=width)
    for _ in range(8):
        person.open("/sign-in/")
        person.page.get_by_label("E-mail").fill(front_desk.email)
        person.page.get_by_label("Password", exact=True).fill(f"not {PASSWORD}")
        with person.page.expect_navigation():  # The page before has a heading, too.
            person.page.keyboard.press("Enter")
    expect(person.page.locator("main")).to_contain_text("Wait 10 minutes")
    person.is_readable_by_all()


def test_another_users_change_leads_back_to_the_page(desk):
    address = desk.register()
    desk.open(address)
    desk.page.get_by_role("button", name="Archive").evaluate(
        "button => { button.form.elements.version.value = 99; }"
    )
    desk.page.get_by_role("button", name="Archive").click()
    expect(desk.page.get_by_role("heading", level=1)).to_have_text(
        "Someone else changed this meanwhile."
    )
    desk.page.get_by_role("link", name="Open the page again").click()
    expect(desk.page).to_have_url(address)
