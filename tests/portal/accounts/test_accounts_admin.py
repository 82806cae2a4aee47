"""Operators unlock users and sign them out everywhere, without a shell."""

import pytest
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client

from portal.accounts.models import User
from tests.portal.conftest import PASSWORD

pytestmark = pytest.mark.django_db
USERS = "/admin/accounts/user/"


@pytest.fixture
def operator(make_user):
    return make_user("operator", is_staff=True)


@pytest.fixture
def admin(client, operator):
    client.force_login(operator)
    return client


def sign_in(client, email, password):
    return client.post("/sign-in/", {"email": email, "password": password})


def lock_out(email):
    """Tries wrong passwords at one computer until it is refused."""
    desk = Client()
    for _ in range(settings.AXES_FAILURE_LIMIT):
        answer = sign_in(desk, email, "wrong-password")
    assert answer.status_code == 429
    return desk


def act(client, action, *users, at=USERS):
    data = {"action": action, "_selected_action": [str(user.pk) for user in users]}
    return client.post(at, data, follow=True).content.decode()


def test_an_unlocked_user_may_try_again(admin, front_desk):
    """Red when the name is looked for as the user has it, and not as it was typed."""
    desk = lock_out(front_desk.email.upper())
    assert sign_in(desk, front_desk.email.upper(), PASSWORD).status_code == 429
    assert front_desk.email in admin.get(f"{USERS}?locked=yes").content.decode()
    page = act(admin, "unlock", front_desk)
    assert "1 of 1 user(s) had wrong passwords against them." in page
    assert sign_in(desk, front_desk.email.upper(), PASSWORD).status_code == 302
    assert front_desk.email not in admin.get(f"{USERS}?locked=yes").content.decode()


def test_a_user_who_is_not_locked_out_is_not_listed(admin, front_desk):
    sign_in(Client(), front_desk.email, "wrong-password")
    assert front_desk.email not in admin.get(f"{USERS}?locked=yes").content.decode()


def test_signing_out_ends_the_sign_ins_of_this_user_alone(admin, front_desk, make_user):
    desk, other = Client(), Client()
    other.force_login(make_user("billing"))
    assert sign_in(desk, front_desk.email, PASSWORD).status_code == 302
    tokens = desk.post(
        "/auth/login",
        {"email": front_desk.email, "password": PASSWORD},
        content_type="application/json",
    )
    page = act(admin, "end_access", front_desk)
    assert "1 user(s) signed out of 2 browser(s) and program(s)." in page
    assert desk.get("/patients/").status_code == 302
    assert other.get("/patients/").status_code == 200
    again = desk.post(
        "/auth/refresh", {"refresh": tokens.json()["refresh"]}, content_type="application/json"
    )
    assert again.status_code == 401


def test_api_clients_are_the_users_who_hold_a_token(admin, front_desk, api_as):
    assert front_desk.email not in admin.get(f"{USERS}?by_token=yes").content.decode()
    api_as(front_desk)
    assert front_desk.email in admin.get(f"{USERS}?by_token=yes").content.decode()


@pytest.mark.parametrize("action", ["unlock", "end_access"])
def test_each_action_is_in_the_history_of_the_user(admin, operator, front_desk, action):
    act(admin, action, front_desk)
    assert LogEntry.objects.get().user == operator
    assert LogEntry.objects.get().object_id == str(front_desk.pk)


@pytest.mark.parametrize("action", ["unlock", "end_access"])
def test_an_action_needs_the_right_to_change_users(client, make_user, front_desk, action):
    """Red when the action forgets its permission."""
    auditor = make_user("auditor", is_staff=True)
    auditor.user_permissions.add(Permission.objects.get(codename="view_user"))
    client.force_login(auditor)
    desk = Client()
    desk.force_login(front_desk)
    AccessAttempt.objects.create(
        username=front_desk.email, ip_address="127.0.0.1", failures_since_start=9
    )
    act(client, action, front_desk)
    assert desk.get("/patients/").status_code == 200
    assert AccessAttempt.objects.exists()


def test_an_operator_cannot_sign_out_a_superuser(admin):
    chief = User.objects.create_superuser("chief@clinic.example", PASSWORD)
    desk = Client()
    desk.force_login(chief)
    act(admin, "end_access", chief)
    assert desk.get("/patients/").status_code == 200


def test_wrong_passwords_for_an_unknown_name_are_forgotten_too(admin):
    lock_out("nobody@clinic.example")
    [attempt] = AccessAttempt.objects.all()
    assert "nobody@clinic.example" in admin.get("/admin/axes/accessattempt/").content.decode()
    assert "1 line(s)" in act(admin, "forget", attempt, at="/admin/axes/accessattempt/")
    assert not AccessAttempt.objects.exists()


def test_the_name_of_a_user_has_no_invisible_characters(make_user):
    user = make_user("front desk", full_name="Fay\u200b  Front\ufeff")
    user.refresh_from_db()
    assert user.full_name == "Fay Front"
