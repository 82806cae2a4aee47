"""A session ends in the middle of a form: the text is neither lost nor shown to another user."""

import pytest
from playwright.sync_api import expect

from portal.accounts.models import Session, User
from portal.patients.models import Patient
from tests.browser.steps import JANE
from tests.portal.conftest import PASSWORD
from tests.waits import wait_for

BACK = "It is back in the form"


def end_sessions():
    """Ends all sessions at once, as time does."""
    Session.objects.all().delete()


def sign_in_again(person, user: User) -> None:
    expect(person.page).to_have_title("Sign in – Patient Portal")
    person.page.get_by_label("E-mail").fill(user.email)
    person.page.get_by_label("Password", exact=True).fill(PASSWORD)
    person.page.keyboard.press("Enter")


def fill_form(person) -> None:
    person.open("/patients/new/")
    person.fill_in(**JANE, phone="020 7946 0018", address_line1='1 "Quoted" <Lane>')


def idle_until(person, seconds: int) -> None:
    person.page.clock.fast_forward(seconds * 1000)


def test_text_sent_after_the_end_is_back_in_the_form_and_can_be_saved(desk, front_desk):
    fill_form(desk)
    end_sessions()
    desk.save()
    expect(desk.page.get_by_text("What you typed is kept.")).to_be_visible()
    desk.is_readable_by_all()
    sign_in_again(desk, front_desk)
    expect(desk.page.get_by_text(BACK)).to_be_visible()
    expect(desk.page.locator("#id_address_line1")).to_have_value('1 "Quoted" <Lane>')
    expect(desk.page.locator("#id_date_of_birth_1")).to_have_value("apr")
    expect(desk.page.get_by_label("Female", exact=True)).to_be_checked()
    desk.is_readable_by_all()
    assert not Patient.objects.exists()
    desk.save()
    expect(desk.page.get_by_text("Registered with MRN")).to_be_visible()
    desk.open("/patients/new/")
    expect(desk.page.locator("#id_family_name")).to_have_value("")


def test_without_scripts_one_press_saves_what_was_typed(staff, front_desk):
    person = staff(front_desk, scripts=False)
    fill_form(person)
    end_sessions()
    person.save()
    sign_in_again(person, front_desk)
    expect(person.page.get_by_text("Your text is kept.")).to_be_visible()
    person.page.get_by_role("button", name="Save what I typed").click()
    expect(person.page.get_by_text("Registered with MRN")).to_be_visible()
    assert Patient.objects.get().phone == "020 7946 0018"


@pytest.mark.parametrize("scripts", [True, False])
def test_another_user_who_signs_in_does_not_get_the_text(staff, front_desk, make_user, scripts):
    person = staff(front_desk, scripts=scripts)
    fill_form(person)
    end_sessions()
    person.save()
    sign_in_again(person, make_user("operator"))
    expect(person.page.get_by_role("heading", name="Register a patient")).to_be_visible()
    expect(person.page.locator("#id_family_name")).to_have_value("")
    assert "020 7946" not in person.page.content()


def test_a_form_left_open_by_another_user_is_not_saved(desk, make_user):
    fill_form(desk)
    other = desk.page.context.new_page()
    other.goto("/patients/")
    end_sessions()
    other.goto("/sign-in/")
    other.get_by_label("E-mail").fill(make_user("operator").email)
    other.get_by_label("Password", exact=True).fill(PASSWORD)
    other.keyboard.press("Enter")
    expect(other).not_to_have_title("Sign in – Patient Portal")
    desk.save()
    expect(desk.page.get_by_role("heading", level=1)).to_contain_text(
        "opened before somebody signed in or out"
    )
    desk.is_readable_by_all()
    assert not Patient.objects.exists()


def test_sign_in_in_another_tab_keeps_the_text_of_the_first(desk, front_desk):
    fill_form(desk)
    end_sessions()
    other = desk.page.context.new_page()
    other.goto("/sign-in/")
    other.get_by_label("E-mail").fill(front_desk.email)
    other.get_by_label("Password", exact=True).fill(PASSWORD)
    other.keyboard.press("Enter")
    expect(other).not_to_have_title("Sign in – Patient Portal")
    desk.save()
    expect(desk.page.get_by_text(BACK)).to_be_visible()
    desk.save()
    expect(desk.page.get_by_text("Registered with MRN")).to_be_visible()


def test_the_warning_comes_two_minutes_before_and_one_press_stays(desk):
    desk.page.clock.install()
    fill_form(desk)
    warning = desk.page.get_by_role("alertdialog", name="Are you still there?")
    idle_until(desk, 27 * 60)
    expect(warning).to_be_hidden()
    idle_until(desk, 70)
    expect(warning).to_be_visible()
    expect(warning).to_contain_text("1 min")
    expect(desk.page.get_by_role("button", name="Stay signed in")).to_be_focused()
    desk.is_readable_by_all()
    desk.page.keyboard.press("Enter")
    expect(warning).to_be_hidden()
    idle_until(desk, 27 * 60)
    expect(warning).to_be_hidden()
    expect(desk.page.locator("#id_phone")).to_have_value("020 7946 0018")


def test_without_an_answer_to_the_warning_the_text_is_kept(desk, front_desk):
    desk.page.clock.install()
    fill_form(desk)
    end_sessions()
    idle_until(desk, 31 * 60)
    expect(desk.page.get_by_text("What you typed is kept.")).to_be_visible()
    assert "020 7946" not in desk.page.content()
    sign_in_again(desk, front_desk)
    expect(desk.page.get_by_text(BACK)).to_be_visible()
    expect(desk.page.locator("#id_phone")).to_have_value("020 7946 0018")


def test_a_lost_network_keeps_the_text(desk):
    fill_form(desk)
    desk.page.context.set_offline(True)
    desk.save()
    expect(desk.page.get_by_role("alert")).to_contain_text("No connection. Nothing was saved.")
    expect(desk.page.locator("#id_phone")).to_have_value("020 7946 0018")
    desk.page.context.set_offline(False)
    desk.is_readable_by_all()
    desk.save()
    expect(desk.page.get_by_text("Registered with MRN")).to_be_visible()


def test_a_page_out_of_memory_sends_only_the_button_pressed_now(desk):
    """After Back a browser shows the page as it was left; here it never leaves."""
    fill_form(desk)
    sent: list[str] = []

    def take(route):
        if route.request.method != "POST":
            return route.continue_()
        sent.append(route.request.post_data)
        return route.fulfill(status=204)  # The browser stays on the page.

    desk.page.route("**/patients/new/", take)
    for button in ("The person cannot be identified", "Save"):
        with desk.page.expect_response(lambda answer: answer.status == 204):
            desk.page.locator(".app-register, .app-row").get_by_role("button", name=button).click()
        desk.page.evaluate(
            "dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))"
        )
    assert ["unidentified=yes" in body for body in sent] == [True, False]


def test_a_silent_server_is_not_asked_again_meanwhile(desk):
    desk.page.clock.install()
    desk.open("/patients/")
    asked: list[object] = []
    desk.page.route("**/session/**", lambda route: asked.append(route))  # None of them is answered.
    desk.page.evaluate("localStorage.setItem('session-ends', '0')")
    desk.page.clock.run_for(5000)
    wait_for(lambda: desk.page.evaluate("1") and asked)
    assert len(asked) == 1


@pytest.mark.parametrize("width", [1280, 320])
def test_the_warning_is_accessible(staff, front_desk, width):
    person = staff(front_desk, width=width)
    person.page.clock.install()
    person.open("/patients/")
    idle_until(person, 29 * 60)
    expect(person.page.get_by_role("alertdialog")).to_be_visible()
    person.is_readable_by_all()


def test_back_after_sign_out_shows_nothing(desk):
    fill_form(desk)
    end_sessions()
    desk.page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    expect(desk.page).to_have_title("Sign in – Patient Portal")
