"""GetBillingAccount and ListBillingAccounts."""

from uuid import uuid4

import pytest

from tests.billing_grpc.caller import new_patient, refusal, running_server
from tests.billing_grpc.database import new_database


def test_an_account_is_found_by_patient_id(billing):
    account = billing.open(new_patient()).account
    assert billing.get(account.patient_id) == account


def test_a_patient_without_an_account_is_not_found(billing):
    assert refusal(billing.get, str(uuid4())) == ("NOT_FOUND", "the patient has no billing account")
    assert refusal(billing.get, "") == (
        "INVALID_ARGUMENT",
        "patient_id: must be a UUID of 36 characters",
    )


def test_pages_give_every_account_once_in_the_order_of_ids():
    with new_database() as url, running_server(url) as billing:
        assert (list(billing.list().accounts), billing.list().next_page_token) == ([], "")
        billing.open_many([new_patient() for _ in range(250)])
        first = billing.list()
        assert len(first.accounts) == 100
        second = billing.list(page_token=first.next_page_token)
        third = billing.list(page_token=second.next_page_token)
        ids = [account.account_id for page in (first, second, third) for account in page.accounts]
        assert ids == sorted(set(ids))
        assert len(ids) == 250
        assert third.next_page_token == ""
        whole = billing.list(page_size=250)
        assert ([account.account_id for account in whole.accounts], whole.next_page_token) == (
            ids,
            "",
        )


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ({"page_size": -1}, "page_size: must be from 0 to 1000"),
        ({"page_size": 1001}, "page_size: must be from 0 to 1000"),
        ({"page_token": "x"}, "page_token: is not from the page before"),
        ({"page_token": "BA-" + "9" * 19}, "page_token: is not from the page before"),
    ],
)
def test_a_wrong_field_is_refused_by_name(billing, asked, text):
    assert refusal(billing.list, **asked) == ("INVALID_ARGUMENT", text)
