"""The page of accounts by state: what waits, what failed and why, and asking billing again."""

from datetime import timedelta

import pytest
from django.utils import timezone

from portal.billing.models import BillingAccount
from portal.patients.models import AccessRecord
from tests.portal.billing.conftest import new_patient, run_until_idle

pytestmark = pytest.mark.django_db
POLL = {"HX-Request": "true"}


@pytest.fixture
def clerk(client, make_user):
    client.force_login(make_user("billing"))
    return client


def set_account(patient, status: str, **more) -> BillingAccount:
    """Puts the patient's account into this state."""
    waits = {"next_attempt_at": timezone.now() if status == "pending" else None}
    known = {} if status in ("pending", "failed") else {"account_id": "BA-1", "synced_version": 1}
    BillingAccount.objects.filter(pk=patient.pk).update(status=status, **{**waits, **known, **more})
    return BillingAccount.objects.get(pk=patient.pk)


def shown(client, query: str = "") -> str:
    return client.get(f"/billing/{query}").content.decode()


def names(client, query: str) -> list[str]:
    return [row.patient.family_name for row in client.get(f"/billing/{query}").context["page"].rows]


def test_the_states_are_counted_and_each_has_its_list(clerk):
    for status, name in (
        ("pending", "Able"),
        ("active", "Baker"),
        ("closed", "Charlie"),
        ("active", "Delta"),
    ):
        set_account(new_patient(family_name=name), status)
    tiles = clerk.get("/billing/").context["tiles"]
    assert {tile["state"].value: tile["count"] for tile in tiles} == {
        "pending": 1,
        "failed": 0,
        "active": 2,
        "closed": 1,
    }
    assert names(clerk, "?state=closed") == ["Charlie"]
    assert names(clerk, "?state=active") == ["Delta", "Baker"]


def test_it_opens_with_what_failed_and_else_with_what_waits(clerk):
    failed = new_patient()
    set_account(failed, "failed")
    assert clerk.get("/billing/").context["state"] == "failed"
    set_account(failed, "pending")
    assert clerk.get("/billing/").context["state"] == "pending"


@pytest.mark.parametrize("state", ["pending", "failed", "active", "closed"])
def test_every_account_stands_on_exactly_one_page(clerk, monkeypatch, state):
    monkeypatch.setattr("portal.billing.views.listing.PAGE_SIZE", 2)
    moment = timezone.now()
    made = [new_patient(family_name=name) for name in ("Able", "Baker", "Charlie", "Delta", "Echo")]
    for patient in made:  # All at one moment, as in a batch: the key must tell them apart.
        set_account(patient, state, wanted_at=moment, updated_at=moment)
    seen, query = [], f"state={state}"
    while query:
        answer = clerk.get(f"/billing/?{query}")
        seen += [row.account.pk for row in answer.context["page"].rows]
        query = answer.context["next_query"]
    expected = [patient.pk for patient in made]
    assert seen == (expected if state == "pending" else expected[::-1])


def test_the_longest_waiting_account_comes_first(clerk):
    for name, minutes in (("Late", 1), ("Early", 9)):
        set_account(
            new_patient(family_name=name),
            "pending",
            wanted_at=timezone.now() - timedelta(minutes=minutes),
        )
    assert names(clerk, "?state=pending") == ["Early", "Late"]


def test_a_refusal_has_a_reason_and_what_to_do(clerk):
    set_account(new_patient(), "failed", last_error_code="INVALID_ARGUMENT", attempts=1)
    page = shown(clerk, "?state=failed")
    assert "Billing does not take this name or e-mail." in page
    assert "Open the patient and correct it" in page
    assert "(INVALID_ARGUMENT)" in page


def test_named_patients_count_as_read_and_the_poll_names_nobody(clerk):
    patient = new_patient(family_name="Featherstone")
    assert "FEATHERSTONE" in shown(clerk, "?state=pending")
    assert [
        (record.action, record.door, record.patient_ids) for record in AccessRecord.objects.all()
    ] == [("list", "portal", [patient.pk])]
    set_account(patient, "active")
    page = clerk.get(
        "/billing/states/", {"state": "pending", "shown": str(patient.pk)}, headers=POLL
    ).content.decode()
    assert f'id="state-{patient.pk}"' in page
    assert "Active" in page
    assert "FEATHERSTONE" not in page
    assert AccessRecord.objects.count() == 1


def test_the_page_follows_by_itself_only_while_something_waits(clerk):
    patient = new_patient()
    assert 'hx-trigger="every 2s"' in shown(clerk)
    set_account(patient, "pending", last_error_code="UNAVAILABLE")
    assert 'hx-trigger="every 10s"' in shown(clerk)
    set_account(patient, "active", last_error_code="")
    assert "hx-trigger" not in shown(clerk)


def test_retrying_twice_opens_one_account(clerk, loop, server):
    patient = new_patient()
    set_account(patient, "failed", last_error_code="INVALID_ARGUMENT")
    for _ in range(2):
        answer = clerk.post(
            "/billing/retry/", {"only": str(patient.pk), "state": "failed"}, follow=True
        )
        assert answer.redirect_chain == [("/billing/?state=failed", 302)]
        assert "Billing is asked again for 1 account." in answer.content.decode()
    run_until_idle(loop)
    assert list(server.accounts()) == [str(patient.pk)]
    assert BillingAccount.objects.get().status == "active"


def test_only_the_chosen_accounts_are_asked_for_or_all_failed(clerk):
    able, baker, charlie = (new_patient(family_name=name) for name in ("Able", "Baker", "Charlie"))
    for patient in (able, baker, charlie):
        set_account(patient, "failed")
    clerk.post(
        "/billing/retry/", {"chosen": [str(able.pk)], "shown": [str(able.pk), str(baker.pk)]}
    )
    assert names(clerk, "?state=pending") == ["Able"]
    clerk.post("/billing/retry/", {"all_failed": "yes"})
    assert not names(clerk, "?state=failed")


def test_without_a_choice_nothing_is_asked_and_a_message_says_so(clerk):
    set_account(new_patient(), "failed")
    answer = clerk.post("/billing/retry/", {"state": "failed"}, follow=True)
    assert "no account was chosen" in answer.content.decode()
    assert BillingAccount.objects.get().status == "failed"


def test_without_the_right_to_ask_there_is_no_button_and_a_refusal(client, front_desk):
    client.force_login(front_desk)
    patient = new_patient()
    set_account(patient, "failed")
    page = shown(client, "?state=failed")
    assert "EXAMPLE" in page
    assert [words for words in ("Ask now", "Ask again", 'type="checkbox"') if words in page] == []
    assert client.post("/billing/retry/", {"all_failed": "yes"}).status_code == 403


def test_without_the_right_to_see_accounts_the_page_is_refused(client, make_user):
    client.force_login(make_user("analyst"))
    for address in ("/billing/", "/billing/states/"):
        assert client.get(address).status_code == 403


def test_the_link_to_reconciliation_is_for_users_who_may_see_it(clerk, client, make_user):
    assert "/reconciliation/" not in shown(clerk)
    client.force_login(make_user("operator"))
    assert 'href="/reconciliation/"' in shown(client).split("<main")[1]


@pytest.mark.parametrize(
    "query", ["?state=pending&after=nonsense", "?state=failed&after=12.nonsense"]
)
def test_a_wrong_cursor_is_refused_with_a_text(clerk, query):
    answer = clerk.get(f"/billing/{query}")
    assert answer.status_code == 400
    assert "This cursor is not one of ours." in answer.content.decode()
