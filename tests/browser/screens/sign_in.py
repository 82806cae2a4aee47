"""Sign-in, lockout and profile."""

from playwright.sync_api import expect

from tests.browser.screens.studio import Studio
from tests.browser.steps import Staff

AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
)
TRIES = 8  # Wrong passwords until a lockout, as AXES_FAILURE_LIMIT says.


def take(studio: Studio) -> None:
    person = studio.open_browser()
    person.open("/sign-in/")
    studio.take(person, "sign-in", "Signing in")
    try_to_sign_in(person)
    studio.take(person, "sign-in-wrong", "A wrong password and an unknown user get the same words")
    for _ in range(TRIES - 1):
        person.open("/sign-in/")
        try_to_sign_in(person)
    expect(person.page.locator("main")).to_contain_text("Wait")
    studio.take(
        person,
        "sign-in-locked",
        "Locked out after wrong passwords: how long to wait, and who can help",
    )
    for agent in AGENTS:
        studio.open_browser("frontdesk", user_agent=agent)
    person = studio.open_browser("frontdesk")
    person.open("/profile/")
    studio.take(
        person,
        "profile",
        "The profile: name and roles, single keys on or off, the password, sign-ins",
    )


def try_to_sign_in(person: Staff, email: str = "nobody@demo.example") -> None:
    person.page.get_by_label("E-mail").fill(email)
    person.page.get_by_label("Password", exact=True).fill("not the password")
    with person.page.expect_navigation():
        person.page.get_by_role("button", name="Sign in").click()
