"""One statement reads a session, its user and rights; Django decides where it is no plain one."""

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test.utils import CaptureQueriesContext

from portal.accounts.models import Session, User

pytestmark = pytest.mark.django_db
PAGE = "/help/keys/"


@pytest.fixture
def signed_in(client, front_desk):
    client.force_login(front_desk)
    assert client.get(PAGE).status_code == 200
    return client


def test_a_page_looks_for_no_user_beside_the_session(signed_in):
    with CaptureQueriesContext(
        connection,
    ) as asked:
        page = signed_in.get(PAGE)
    assert page.context["signed_in"].email in page.content.decode()
    assert not [query for query in asked if "accounts_user" in query["sql"]]


def test_a_disabled_user_is_out_at_once(signed_in, front_desk):
    User.objects.filter(pk=front_desk.pk).update(is_active=False)
    assert signed_in.get(PAGE).status_code == 302


def test_a_changed_password_ends_the_session(signed_in, front_desk):
    front_desk.set_password("another-long-password")
    front_desk.save()
    assert signed_in.get(PAGE).status_code == 302


def test_a_session_without_a_known_backend_opens_nothing(signed_in, settings):
    settings.AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend"]
    assert signed_in.get(PAGE).status_code == 302


@pytest.mark.parametrize("change", [{"user": None}, {"user": "other"}])
def test_the_session_itself_says_whose_it_is(signed_in, front_desk, make_user, change):
    """Not the column beside it, which only finds the sessions of a user."""
    other = make_user("operator")
    User.objects.filter(pk=other.pk).update(password=front_desk.password)
    Session.objects.update(user=other if change["user"] else None)
    page = signed_in.get(PAGE)
    assert page.context["signed_in"] == front_desk
    assert "/audit/" not in page.content.decode()


def test_a_user_of_older_secrets_stays_signed_in(signed_in, settings):
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another-secret-of-fifty-characters-0123456789-abcdef"
    assert signed_in.get(PAGE).status_code == 200


def test_rights_are_those_of_this_moment(signed_in, front_desk):
    assert signed_in.get("/patients/").status_code == 200
    front_desk.groups.clear()
    assert signed_in.get("/patients/").status_code == 403
    front_desk.groups.add(Group.objects.get(name="operator"))
    assert signed_in.get("/audit/").status_code == 200


def test_a_superuser_may_do_all(client):
    client.force_login(User.objects.create_superuser("boss@clinic.example", "a-long-password"))
    assert client.get("/audit/").status_code == 200


def test_a_session_that_ended_is_nobody(signed_in):
    Session.objects.update(expire_date="2020-01-01T00:00Z")
    assert signed_in.get(PAGE).status_code == 302
