"""The billing tab in each state of the account."""

from datetime import timedelta

import pytest
from django.utils import timezone

from portal.billing.models import BillingAccount
from portal.prepared import execute_prepared
from tests.portal.billing.conftest import new_patient

pytestmark = pytest.mark.django_db


@pytest.fixture
def address(client, make_user):
    client.force_login(make_user("billing"))
    return f"/patients/{new_patient().pk}/billing/"


def shown(client, address, **state) -> str:
    BillingAccount.objects.update(**state)
    return client.get(address).content.decode()


def test_a_pending_account_is_looked_at_every_second(client, address):
    assert 'hx-trigger="every 1s"' in shown(client, address)


def test_billing_that_hangs_before_any_failed_attempt_is_late(client, address):
    page = shown(client, address, wanted_at=timezone.now() - timedelta(seconds=30))
    assert "Billing has not answered yet." in page
    assert 'hx-trigger="every 10s"' in page


def test_an_account_that_was_just_asked_for_is_not_called_late(client, address):
    assert "Billing has not answered yet." not in shown(client, address)


def test_billing_that_another_account_found_away_is_away_here_too(client, address):
    earlier = timezone.now() - timedelta(minutes=1)
    other = new_patient(family_name="Earlier")
    BillingAccount.objects.filter(pk=other.pk).update(
        last_error_code="UNAVAILABLE", wanted_at=earlier
    )
    assert "Billing does not answer." in client.get(address).content.decode()


def test_an_active_account_is_not_asked_for_again(client, address):
    page = shown(
        client, address, status="active", account_id="BA-1", synced_version=1, next_attempt_at=None
    )
    assert "BA-1" in page
    assert "hx-trigger" not in page


def test_billing_that_is_away_leaves_the_last_known_account_on_the_page(client, address):
    later = timezone.now() + timedelta(minutes=5)
    state = {"status": "active", "account_id": "BA-1", "synced_version": 1, "wanted_version": 2}
    answered = timezone.now().replace(hour=10, minute=42) - timedelta(days=1)
    away = {
        "last_error_code": "UNAVAILABLE",
        "attempts": 2,
        "next_attempt_at": later,
        "answered_at": answered,
    }
    page = shown(client, address, **state, **away)
    assert "Billing does not answer." in page
    assert f"the last known, of {answered:%d-%b-%Y} 10:42" in page
    assert "BA-1" in page
    assert 'hx-trigger="every 10s"' in page


def test_a_refused_account_says_why_and_can_be_asked_for_again(client, address):
    page = shown(
        client, address, status="failed", last_error_code="INVALID_ARGUMENT", next_attempt_at=None
    )
    assert "INVALID_ARGUMENT" in page
    for _ in range(2):
        assert client.post(f"{address}retry/")["Location"] == address
    assert BillingAccount.objects.get().status == "pending"


def test_a_closed_account_says_why(client, address):
    page = shown(
        client, address, status="closed", account_id="BA-1", synced_version=1, next_attempt_at=None
    )
    assert "Closed" in page
    assert "archived or merged" in page
    assert "hx-trigger" not in page


def test_the_banner_looks_again_while_the_account_is_about_to_change(client, address):
    """It does so also where the account is active and about to be closed."""
    done = {"status": "active", "account_id": "BA-1", "synced_version": 1, "next_attempt_at": None}
    overview = address.removesuffix("billing/")
    BillingAccount.objects.update(**done)
    assert "hx-trigger" not in client.get(f"{overview}tags/").content.decode()
    BillingAccount.objects.update(next_attempt_at=timezone.now())
    assert 'hx-trigger="every 1s"' in client.get(f"{overview}tags/").content.decode()
    BillingAccount.objects.update(**{**done, "status": "closed"})
    page = client.get(f"{overview}tags/").content.decode()
    assert "Billing: closed" in page
    assert "hx-trigger" not in page


def test_a_front_desk_sees_the_state_and_cannot_ask_again(client, front_desk):
    client.force_login(front_desk)
    address = f"/patients/{new_patient().pk}/billing/"
    assert "Ask billing now" not in client.get(address).content.decode()
    assert client.post(f"{address}retry/").status_code == 403


def test_a_banner_made_while_billing_answers_is_looked_at_again(client, address, monkeypatch):
    """The account may turn active while the page is made: "pending" must not stay for ever."""

    def answer_after_the_first_look(name, *rest):
        found = execute_prepared(name, *rest)
        if name == "account_tag" and not answered:
            answered.append(
                BillingAccount.objects.update(
                    status="active", account_id="BA-1", next_attempt_at=None
                )
            )
        return found

    answered: list[int] = []
    monkeypatch.setattr("portal.billing.selectors.execute_prepared", answer_after_the_first_look)
    page = client.get(address.replace("billing/", "")).content.decode()
    assert answered == [1]
    assert "Billing: pending" in page
    assert 'hx-trigger="every 1s"' in page
