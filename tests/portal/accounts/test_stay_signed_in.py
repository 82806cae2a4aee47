"""A session ends half an hour after the user's last action, not after the last poll."""

import pytest

from portal.accounts import sessions

pytestmark = pytest.mark.django_db


@pytest.fixture
def at_work(client, front_desk, monkeypatch):
    """The front desk, signed in two minutes ago by the session's clock."""
    client.force_login(front_desk)
    client.get("/patients/")
    later = sessions.time.time() + 120
    monkeypatch.setattr(sessions.time, "time", lambda: later)
    return client


def test_opening_a_page_starts_the_half_hour_anew(at_work):
    assert "sessionid" in at_work.get("/patients/").cookies
    assert "sessionid" not in at_work.get("/patients/").cookies  # At most one write a minute.


@pytest.mark.parametrize("header", ["HX-Request", "X-Poll"])
def test_a_poll_does_not_renew_the_session(at_work, header):
    assert "sessionid" not in at_work.get("/patients/", headers={header: "true"}).cookies


def test_a_token_makes_no_session(desk_api):
    assert "sessionid" not in desk_api.get("/api/patients").cookies


def left(client, method="get", **headers):
    return getattr(client, method)("/session/", headers=headers).json()["seconds"]


def test_reading_the_time_left_does_not_renew_it_and_staying_does(at_work, settings):
    whole = settings.SESSION_COOKIE_AGE
    assert whole - 125 <= left(at_work, x_poll="1") <= whole - 115
    assert left(at_work, "post") == whole
    assert left(at_work, x_poll="1") == whole


def test_without_a_sign_in_no_time_is_left(client):
    assert left(client) == left(client, "post") == 0
