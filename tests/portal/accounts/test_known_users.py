"""What the portal remembers of a user is a second old at most, in every process."""

import pytest
from django.db import connection

from portal.accounts import known_users
from portal.accounts.models import User

pytestmark = pytest.mark.django_db
CHANGES = {
    "disabled": "UPDATE accounts_user SET is_active = false",
    "new password": "UPDATE accounts_user SET password = 'other'",
    "deleted": "DELETE FROM accounts_refreshtoken; "
    "DELETE FROM accounts_user_groups; DELETE FROM accounts_user",
    "signed out": "UPDATE accounts_refreshtoken SET revoked_at = now()",
    "role taken": "DELETE FROM accounts_user_groups",
}


@pytest.fixture
def clock(monkeypatch):
    """Moves the clock of the memory on."""
    now = [known_users.time.monotonic()]
    monkeypatch.setattr(known_users.time, "monotonic", lambda: now[0])

    def forward(seconds: float) -> None:
        now[0] += seconds

    return forward


@pytest.mark.parametrize("change", CHANGES)
def test_what_another_process_changes_acts_within_a_second(desk_api, clock, change):
    """SQL stands for the other process: this one gets no signal."""
    assert desk_api.get("/api/patients").status_code == 200
    with connection.cursor() as cursor:
        cursor.execute(CHANGES[change])
    clock(1.0)
    answer = desk_api.get("/api/patients")
    assert answer.status_code == (403 if change == "role taken" else 401)


def test_a_user_is_read_once_a_second(desk_api, clock, django_assert_num_queries):
    desk_api.get("/auth/validate")
    with django_assert_num_queries(0):
        assert desk_api.get("/auth/validate").status_code == 200
    clock(1.0)
    with django_assert_num_queries(2):  # And a prepared one, which Django does not see.
        assert desk_api.get("/auth/validate").status_code == 200


def test_what_this_process_changes_acts_at_once(desk_api):
    assert desk_api.get("/api/patients").status_code == 200
    user = User.objects.get()
    user.groups.clear()
    assert desk_api.get("/api/patients").status_code == 403
    user.is_active = False
    user.save()
    assert desk_api.get("/api/patients").status_code == 401


def test_signing_out_ends_the_access_token_of_this_sign_in_alone(client, front_desk):
    """A program that signs out keeps no key, and another one of the same user works on."""
    body = {"email": front_desk.email, "password": "correct-horse-battery"}
    first, second = (
        client.post("/auth/login", body, content_type="application/json").json() for _ in range(2)
    )
    statuses = []
    client.post("/auth/logout", {"refresh": first["refresh"]}, content_type="application/json")
    for tokens in (first, second):
        header = {"Authorization": f"Bearer {tokens['token']}"}
        statuses.append(client.get("/auth/validate", headers=header).status_code)
    assert statuses == [401, 200]


def test_memory_is_bounded(monkeypatch, make_user):
    monkeypatch.setattr(known_users, "MOST_USERS", 2)
    known_users.forget_known_users()
    for role in ("front desk", "clinician", "billing"):
        assert known_users.known_user(make_user(role).pk)
    assert len(known_users._known) <= 2


def test_a_read_that_a_change_overtook_is_not_remembered(front_desk, monkeypatch):
    """Red when what another thread read before a change is believed after it."""
    read = known_users._read

    def read_while_another_changes(user_id):
        known = read(user_id)
        known_users.forget_known_users()
        return known

    monkeypatch.setattr(known_users, "_read", read_while_another_changes)
    known_users.read_user(front_desk.pk)
    assert known_users.remembered_user(front_desk.pk) is None
