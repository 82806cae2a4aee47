"""Polls are answered 304 from memory; changes, other rights and a sign-out act all the same."""

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from portal.accounts import polling
from portal.accounts.models import Session, User
from portal.billing.models import AccountStatus, BillingAccount
from portal.patients.services import register_patient

pytestmark = pytest.mark.django_db
POLL = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture(autouse=True)
def now(monkeypatch):
    """The clock of the memory; it stands still."""
    clock = {"seconds": 1000.0}
    monkeypatch.setattr(polling, "monotonic", lambda: clock["seconds"])
    polling._sessions.clear()
    polling._answers.clear()
    return clock


@pytest.fixture
def patient(front_desk):
    return register_patient(
        {"family_name": "Ash", "given_name": "May"}, by=front_desk, source="api"
    )


@pytest.fixture
def address(patient):
    return f"/patients/{patient.pk}/tags/"


@pytest.fixture
def desk(client, front_desk):
    client.force_login(front_desk)
    return client


def poll(client, address, tag=""):
    """Returns the answer, and how many statements it took."""
    sent = {**POLL, **({"HTTP_IF_NONE_MATCH": tag} if tag else {})}
    with CaptureQueriesContext(connection) as statements:
        answer = client.get(address, **sent)
    return answer, len(statements)


def activate(patient):
    """Changes the account as the relay does, which is another process: no signal tells of it."""
    accounts = BillingAccount.objects.filter(pk=patient.pk)
    assert accounts.update(status=AccountStatus.ACTIVE, account_id="BA-1", next_attempt_at=None)


def test_an_unchanged_answer_is_304_without_a_statement(desk, address):
    first, _ = poll(desk, address)
    again, statements = poll(desk, address, first["ETag"])
    assert (first.status_code, again.status_code, statements) == (200, 304, 0)
    assert (again["ETag"], again["Cache-Control"]) == (first["ETag"], "no-store")
    assert again.content == b""
    assert again["X-Request-Id"] != first["X-Request-Id"]


def test_without_a_tag_the_part_comes_as_a_whole(desk, address):
    poll(desk, address)
    answer, _ = poll(desk, address)
    assert (answer.status_code, b"pending" in answer.content) == (200, True)


def test_a_change_shows_with_the_next_poll(desk, patient, address, now):
    first, _ = poll(desk, address)
    activate(patient)
    now["seconds"] += 1  # The page polls every second.
    answer, _ = poll(desk, address, first["ETag"])
    assert (answer.status_code, b"active" in answer.content) == (200, True)
    assert answer["ETag"] != first["ETag"]


def test_polls_in_quick_turn_do_not_keep_an_old_answer_alive(desk, patient, address, now):
    first, _ = poll(desk, address)
    activate(patient)
    codes = []
    for _ in range(4):
        now["seconds"] += 0.2
        codes.append(poll(desk, address, first["ETag"])[0].status_code)
    assert codes == [304, 304, 200, 200]


def test_an_unchanged_answer_that_is_looked_at_anew_is_304_too(desk, address, now):
    first, _ = poll(desk, address)
    now["seconds"] += 1
    answer, statements = poll(desk, address, first["ETag"])
    assert (answer.status_code, statements > 0) == (304, True)


def test_users_with_the_same_rights_share_a_look(desk, address):
    colleague = User.objects.create_user("colleague@clinic.example")
    colleague.groups.set(Group.objects.filter(name="front desk"))
    other = Client()
    other.force_login(colleague)
    tag = poll(other, address)[0]["ETag"]
    poll(desk, address)
    assert poll(other, address, tag)[1] == 0


def test_another_users_rights_never_see_the_answer(desk, address, make_user, now):
    tag = poll(desk, address)[0]["ETag"]
    analyst, user = Client(), make_user("analyst")
    analyst.force_login(user)
    known = polling.Seen(polling._rights_of(user), now["seconds"])
    polling._sessions[analyst.session.session_key] = known  # As after a poll of the analyst's own.
    assert poll(analyst, address, tag)[0].status_code == 403
    assert poll(Client(), address, tag)[0].status_code == 401


def test_signing_out_ends_it_at_once(desk, address):
    key = desk.session.session_key
    tag = poll(desk, address)[0]["ETag"]
    desk.post("/sign-out/")
    desk.cookies["sessionid"] = key
    assert poll(desk, address, tag)[0].status_code == 401


def test_signing_out_elsewhere_ends_it_within_a_second(desk, address, now):
    tag = poll(desk, address)[0]["ETag"]
    with connection.cursor() as cursor:  # Another process does it.
        cursor.execute("DELETE FROM accounts_session")
    assert not Session.objects.exists()
    now["seconds"] += 1
    assert poll(desk, address, tag)[0].status_code == 401


def test_a_role_that_was_taken_ends_it_at_once(desk, address, front_desk):
    tag = poll(desk, address)[0]["ETag"]
    front_desk.groups.set(Group.objects.filter(name="analyst"))
    assert poll(desk, address, tag)[0].status_code == 403


def test_a_user_who_may_not_sign_in_any_more_is_asked_to(desk, address, front_desk):
    tag = poll(desk, address)[0]["ETag"]
    front_desk.is_active = False
    front_desk.save()
    assert poll(desk, address, tag)[0].status_code == 401


def test_a_whole_page_is_never_answered_from_memory(desk):
    part, _ = poll(desk, "/patients/duplicates/")
    answer = desk.get("/patients/duplicates/", HTTP_IF_NONE_MATCH=part["ETag"])
    assert (answer.status_code, b"<html" in answer.content) == (200, True)


def test_parts_at_other_addresses_keep_no_tag(desk):
    answer, _ = poll(desk, "/patients/?q=ash")
    assert "ETag" not in answer


def test_the_memory_is_bounded(desk, address, monkeypatch):
    monkeypatch.setattr(polling, "MOST_REMEMBERED", 2)
    for number in range(5):
        poll(desk, f"{address}?{number}")
    assert len(polling._answers) <= 2


@pytest.mark.parametrize("address", ["/billing/states/?state=active", "/patients/duplicates/"])
def test_every_poll_has_a_tag(desk, address):
    assert poll(desk, address)[0]["ETag"]
