"""The sign-in page: where it leads, and what it answers to too many attempts."""

import pytest

from tests.portal.conftest import PASSWORD

pytestmark = pytest.mark.django_db


def sign_in(client, email, password=PASSWORD, **fields):
    return client.post("/sign-in/", {"email": email, "password": password, **fields})


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/", "//evil.example/", "javascript:alert(1)"]
)
def test_sign_in_leads_to_no_other_site(client, front_desk, elsewhere):
    assert sign_in(client, front_desk.email, next=elsewhere)["Location"] == "/"


def test_the_case_of_the_address_does_not_matter(client, front_desk):
    assert sign_in(client, front_desk.email.upper()).status_code == 302


def test_a_user_who_may_not_sign_in_gets_the_words_of_a_wrong_password(client, front_desk):
    front_desk.is_active = False
    front_desk.save()
    assert "E-mail or password is wrong." in sign_in(client, front_desk.email).content.decode()


@pytest.mark.parametrize("email", ["frontdesk@clinic.example", "nobody@clinic.example"])
def test_too_many_attempts_get_a_wait_known_or_unknown(client, front_desk, email):
    for _ in range(8):
        answer = sign_in(client, email, "wrong")
    assert answer.status_code == 429
    assert "Wait 10 minutes" in answer.content.decode()
    assert sign_in(client, email).status_code == 429


def test_signing_out_needs_a_post(client, front_desk):
    client.force_login(front_desk)
    assert client.get("/sign-out/").status_code == 405
    assert client.post("/sign-out/")["Location"] == "/sign-in/"
    assert client.get("/patients/")["Location"] == "/sign-in/?next=/patients/"
