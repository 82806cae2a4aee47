"""A form that arrives after the session's end is kept for its owner, and for nobody else."""

import re

import pytest
from django.test import Client

from portal.accounts import unsaved_forms
from portal.accounts.models import Session
from tests.portal.conftest import PASSWORD
from tests.portal.patients.identifier_rows import identifier_rows

pytestmark = pytest.mark.django_db
PAGE = "/patients/new/"
WORDS = "Your text is kept."


@pytest.fixture
def browser(front_desk):
    """A browser in which the front desk has signed in; it checks CSRF tokens like a real one."""
    client = Client(enforce_csrf_checks=True)
    sign_in(client, front_desk)
    return client


def token(client) -> str:
    return str(client.get("/sign-in/", follow=True).context["csrf_token"])


def sign_in(client, user):
    pair = {"email": user.email, "password": PASSWORD, "csrfmiddlewaretoken": token(client)}
    return client.post("/sign-in/", pair, follow=True)


def send_after_session_end(client, **fields):
    form = {"family_name": "Okafor", "csrfmiddlewaretoken": token(client), **fields}
    Session.objects.all().delete()
    return client.post(PAGE, form)


def test_the_text_is_on_the_page_after_sign_in_and_only_once(browser, front_desk):
    answer = send_after_session_end(browser)
    assert answer["Location"] == f"/sign-in/?next={PAGE}"
    assert "What you typed is kept." in browser.get(answer["Location"]).content.decode()
    sign_in(browser, front_desk)
    first, second = (browser.get(PAGE).content.decode() for _ in range(2))
    assert WORDS in first
    assert "Okafor" in first
    assert WORDS not in second


def test_fields_that_the_page_itself_filled_are_not_shown(browser, front_desk):
    rows = identifier_rows({"system": "", "value": "AB 12"})
    send_after_session_end(browser, shown="proof-of-a-panel", **rows)
    sign_in(browser, front_desk)
    page = browser.get(PAGE).content.decode()
    labels = re.findall(r"<dt>([\w ]+)</dt>", page)
    assert labels == ["Family name", "Identifiers 0 value"]


def test_the_text_stays_on_the_server(browser):
    answer = send_after_session_end(browser)
    assert "Okafor" not in browser.get(answer["Location"]).content.decode()
    assert not any("Okafor" in cookie.value for cookie in browser.cookies.values())


def test_another_user_does_not_get_the_text_and_it_is_gone(browser, front_desk, make_user):
    send_after_session_end(browser)
    sign_in(browser, make_user("operator"))
    assert WORDS not in browser.get(PAGE).content.decode()
    browser.post("/sign-out/", {"csrfmiddlewaretoken": token(browser)})
    sign_in(browser, front_desk)
    assert WORDS not in browser.get(PAGE).content.decode()


def test_after_sign_out_a_form_has_no_owner(browser, front_desk):
    form = {"family_name": "Okafor", "csrfmiddlewaretoken": token(browser)}
    browser.post("/sign-out/", form)
    browser.post(PAGE, form)
    sign_in(browser, front_desk)
    assert WORDS not in browser.get(PAGE).content.decode()


def test_after_two_hours_the_text_is_gone(browser, front_desk, monkeypatch):
    send_after_session_end(browser)
    sign_in(browser, front_desk)
    later = unsaved_forms.time.time() + unsaved_forms.TTL_SECONDS + 1
    monkeypatch.setattr(unsaved_forms.time, "time", lambda: later)
    assert WORDS not in browser.get(PAGE).content.decode()


def test_a_password_is_never_kept(browser, front_desk):
    form = {"old_password": PASSWORD, "new_password": "x", "csrfmiddlewaretoken": token(browser)}
    Session.objects.all().delete()
    browser.post("/profile/password/", form)
    assert PASSWORD not in str(Session.objects.get().get_decoded())


def test_a_form_that_is_too_large_is_not_kept(browser):
    send_after_session_end(browser, family_name="x" * (unsaved_forms.MAX_CHARACTERS + 1))
    assert not Session.objects.exists()


def test_a_stranger_has_nothing_kept(client):
    assert client.post(PAGE, {"family_name": "Okafor"})["Location"] == f"/sign-in/?next={PAGE}"
    assert not Session.objects.exists()


def test_a_forged_form_is_refused(browser):
    answer = browser.post(PAGE, {"family_name": "Okafor", "csrfmiddlewaretoken": "x" * 64})
    assert answer.status_code == 403
    assert "This form was opened before somebody signed in or out here." in answer.content.decode()


def test_a_session_that_kept_text_gets_its_usual_lifetime(browser, front_desk, settings):
    send_after_session_end(browser)
    sign_in(browser, front_desk)
    assert browser.session.get_expiry_age() == settings.SESSION_COOKIE_AGE


def test_a_page_whose_time_is_over_ends_the_session(browser, front_desk):
    form = {"family_name": "Okafor", "csrfmiddlewaretoken": token(browser)}
    answer = browser.post(f"/sign-in/ended/?page={PAGE}&action={PAGE}", form)
    assert answer["Location"] == f"/sign-in/?next={PAGE}"
    assert browser.get("/profile/").status_code == 302
    sign_in(browser, front_desk)
    assert "Okafor" in browser.get(PAGE).content.decode()


def test_the_session_end_leads_to_no_other_site(browser):
    form = {"csrfmiddlewaretoken": token(browser)}
    answer = browser.post("/sign-in/ended/?page=https://evil.example/&action=//evil.example/", form)
    assert answer["Location"] == "/sign-in/?next=/"


def test_a_strange_referer_leads_to_no_other_site(browser):
    form = {"family_name": "Okafor", "csrfmiddlewaretoken": token(browser)}
    Session.objects.all().delete()
    answer = browser.post(PAGE, form, headers={"Referer": "http://testserver//evil.example/"})
    assert answer["Location"] == "/sign-in/?next=/%252Fevil.example/"


def test_a_part_of_a_page_gets_no_sign_in_page(client):
    assert client.get("/patients/", headers={"HX-Request": "true"}).status_code == 401
