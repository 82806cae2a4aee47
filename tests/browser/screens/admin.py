"""The operators' admin: what needs an operator, a list, and a safe action."""

from playwright.sync_api import expect

from tests.browser.screens.sign_in import TRIES, try_to_sign_in
from tests.browser.screens.studio import Studio

LOCKED = "billing@demo.example"
UNLOCK = "Unlock: forget the wrong passwords"


def take(studio: Studio) -> None:
    stranger, operator = studio.open_browser(), studio.open_browser("operator")
    for _ in range(TRIES):
        stranger.open("/sign-in/")
        try_to_sign_in(stranger, LOCKED)
    operator.open("/admin/")
    studio.take(
        operator,
        "admin",
        "The operators' admin opens with what needs an operator: here a user who is locked out",
    )
    operator.page.get_by_role("link", name="locked out").click()
    operator.page.locator("tr", has_text=LOCKED).get_by_role("checkbox").check()
    operator.page.locator("select[name=action]").select_option(label=UNLOCK)
    studio.take(
        operator,
        "admin-action",
        "A list, and an action that is safe: unlocking users who are locked out",
    )
    operator.page.get_by_role("button", name="Run").click()
    expect(operator.page.get_by_text("All of them may try again.")).to_be_visible()
    studio.take(operator, "admin-done", "What the action did")
    operator.open("/admin/patients/patient/")
    studio.take(operator, "admin-patients", "Patients as the admin lists them")
