"""The user's own account: the password, the keys, and the sign-ins."""

import pytest
from django.test import Client

from portal.accounts.models import RefreshToken, Session
from portal.accounts.services import forget_ended_sessions
from tests.portal.conftest import PASSWORD

pytestmark = pytest.mark.django_db
NEW = "a-new-and-longer-password"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:144.0) Gecko/20100101 Firefox/144.0"


def signed_in(user, **headers) -> Client:
    client = Client(headers=headers)
    client.post("/sign-in/", {"email": user.email, "password": PASSWORD})
    client.get("/profile/")
    return client


def is_in(client) -> bool:
    return client.get("/profile/").status_code == 200


def change(client, old=PASSWORD, new=NEW):
    return client.post(
        "/profile/password/", {"old_password": old, "new_password": new}, follow=True
    )


def test_a_new_password_ends_every_other_sign_in_and_token(front_desk, api_as):
    api_as(front_desk)
    here, there = signed_in(front_desk), signed_in(front_desk)
    assert "Your password is changed." in change(here).content.decode()
    assert (is_in(here), is_in(there)) == (True, False)
    assert not RefreshToken.objects.filter(revoked_at=None).exists()
    front_desk.refresh_from_db()
    assert front_desk.check_password(NEW)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("wrong", NEW, "This is not the password that you have today."),
        (PASSWORD, "short", "at least 10 characters"),
        (PASSWORD, "password1234", "too common"),
        (PASSWORD, "frontdesk@clinic.example", "too similar to the e-mail"),
        ("", "", "Enter the password that you have today."),
    ],
)
def test_a_password_that_will_not_do_changes_nothing(front_desk, old, new, words):
    here, there = signed_in(front_desk), signed_in(front_desk)
    answer = change(here, old, new)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert is_in(there)


def test_the_password_of_today_cannot_be_guessed_without_end(front_desk):
    """The eighth wrong one locks the user out, as at the sign-in; then the right one is refused."""
    here = signed_in(front_desk)
    for _ in range(7):
        assert change(here, old="wrong").status_code == 422
    for old in ("wrong", PASSWORD):
        answer = change(here, old=old)
        assert answer.status_code == 429
        assert "Wait 10 minutes" in answer.content.decode()
    front_desk.refresh_from_db()
    assert front_desk.check_password(PASSWORD)


def test_the_page_names_each_browser_and_program(front_desk, api_as):
    api_as(front_desk)
    signed_in(front_desk, user_agent=FIREFOX)
    page = signed_in(front_desk).get("/profile/").content.decode()
    assert "Firefox on Windows" in page
    assert "A browser on an unknown system" in page
    assert "A program, by token" in page
    assert not any(key in page for key in Session.objects.values_list("session_key", flat=True))


def test_one_other_browser_can_be_signed_out(front_desk):
    there, here = signed_in(front_desk, user_agent=FIREFOX), signed_in(front_desk)
    sign_ins = here.get("/profile/").context["sign_ins"]
    [other] = [sign_in for sign_in in sign_ins if not sign_in.is_current]
    here.post("/profile/sign-ins/", {"mark": other.mark})
    assert (is_in(here), is_in(there)) == (True, False)


def test_a_program_can_be_signed_out(front_desk, api_as):
    api_as(front_desk)
    here = signed_in(front_desk)
    sign_ins = here.get("/profile/").context["sign_ins"]
    [program] = [sign_in for sign_in in sign_ins if "program" in sign_in.device]
    here.post("/profile/sign-ins/", {"mark": program.mark})
    assert not RefreshToken.objects.filter(revoked_at=None).exists()


def test_all_others_can_be_signed_out_at_once(front_desk):
    others = [signed_in(front_desk) for _ in range(2)]
    here = signed_in(front_desk)
    here.post("/profile/sign-ins/")
    assert (is_in(here), [is_in(other) for other in others]) == (True, [False, False])


def test_a_user_cannot_sign_out_another_user(front_desk, make_user):
    theirs = signed_in(make_user("operator"))
    mark = theirs.get("/profile/").context["sign_ins"][0].mark
    mine = signed_in(front_desk)
    mine.post("/profile/sign-ins/", {"mark": mark})
    mine.post("/profile/sign-ins/")
    assert is_in(theirs)


def test_single_keys_are_a_choice(front_desk):
    here = signed_in(front_desk)
    assert "data-single-keys" in here.get("/profile/").content.decode()
    here.post("/profile/keys/", {"single_keys": "off"})
    assert "data-single-keys" not in here.get("/profile/").content.decode()


def test_sessions_that_have_ended_are_forgotten(front_desk):
    signed_in(front_desk)
    assert forget_ended_sessions() == 0
    Session.objects.update(expire_date="2020-01-01T00:00Z")
    assert forget_ended_sessions() == 1
