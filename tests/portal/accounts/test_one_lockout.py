"""All doors count wrong passwords together, for each account and computer."""

import json

import pytest

from portal.accounts.models import User
from tests.portal.conftest import PASSWORD

pytestmark = pytest.mark.django_db
EMAIL = "sissy.inman@clinic.example"


@pytest.fixture
def sissy(db):
    return User.objects.create_user(EMAIL, PASSWORD, is_staff=True)


def at_the_page(client, email, password, **headers):
    return client.post("/sign-in/", {"email": email, "password": password}, **headers).status_code


def at_the_admin(client, email, password, **headers):
    """Follows the admin to its sign-in form, and sends each name that such a field may have."""
    page = client.get("/admin/", follow=True)
    pair = {"email": email, "username": email, "password": password}
    address = page.redirect_chain[-1][0] if page.redirect_chain else "/admin/"
    return client.post(address, pair, **headers).status_code


def at_the_admin_itself(client, email, password, **headers):
    pair = {"email": "", "username": email, "password": password}
    return client.post("/admin/login/", pair, **headers).status_code


def at_the_api(client, email, password, **headers):
    body = json.dumps({"email": email, "password": password})
    answer = client.post("/auth/login", body, content_type="application/json", **headers)
    return answer.status_code


DOORS = [at_the_page, at_the_admin, at_the_api]


@pytest.mark.parametrize("door", DOORS)
def test_the_right_password_is_not_taken_after_eight_wrong_ones(client, sissy, door):
    for _ in range(8):
        door(client, EMAIL, "wrong")
    assert [other(client, EMAIL, PASSWORD) for other in DOORS] == [429, 429, 429]


def test_wrong_passwords_at_different_doors_count_together(client, sissy):
    for door in (DOORS * 3)[:8]:
        door(client, EMAIL, "wrong")
    assert at_the_page(client, EMAIL, PASSWORD) == 429


def test_the_admin_has_no_form_of_its_own(client, sissy):
    assert at_the_admin_itself(client, EMAIL, PASSWORD) == 405
    assert client.get("/admin/", follow=True).redirect_chain[-1][0] == "/sign-in/?next=/admin/"


def test_the_admin_leads_back_to_itself(client, sissy):
    answer = client.post("/sign-in/?next=/admin/", {"email": EMAIL, "password": PASSWORD})
    assert answer["Location"] == "/admin/"


LOOK_ALIKES = [
    "\u017fissy.inman@clinic.example",
    "sis\u017fy.inman@clinic.example",
    "\uff53issy.inman@clinic.example",
    "SISSY.INMAN@CLINIC.EXAMPLE",
    " sissy.inman@clinic.example ",
    "s\u0131ssy.inman@clinic.example",
    "\u017fi\u017fsy.inman@clinic.example",
    "sissy.inman@clin\u0131c.example",
    "sissy.\u0130nman@clinic.example",
]


@pytest.mark.parametrize("door", DOORS)
def test_an_address_that_grows_when_it_is_normalised_is_refused(client, door):
    address = "\ufdfa" * 254  # Each of these letters stands for eighteen others.
    assert door(client, address, "wrong") < 500


@pytest.mark.parametrize("door", DOORS)
def test_look_alike_letters_give_no_further_guesses(client, sissy, door):
    """A spelling either counts for the account or never finds it."""
    for email in LOOK_ALIKES[:5]:
        door(client, email, "wrong")
    for _ in range(3):
        door(client, EMAIL, "wrong")
    assert door(client, EMAIL, PASSWORD) == 429
    taken = 200 if door is at_the_api else 302
    assert all(door(client, email, PASSWORD) != taken for email in LOOK_ALIKES)


def test_an_address_is_stored_in_one_spelling(db):
    User(email="\uff33issy.Inman@Clinic.example").save()
    assert User.objects.get().email == EMAIL


def test_another_account_and_another_computer_are_not_locked_out(client, sissy, front_desk):
    for _ in range(8):
        at_the_page(client, EMAIL, "wrong")
    assert at_the_api(client, EMAIL, PASSWORD, REMOTE_ADDR="10.0.0.10") == 200
    assert at_the_page(client, front_desk.email, PASSWORD) == 302
