"""The client reads the accounts of the real billing server."""

from uuid import uuid4

import pytest

from portal.billing.client import Account, BillingAway, Details, NoSuchAccount


@pytest.fixture
def client(server, client_of):
    return client_of(server.address)


def open_accounts(client, count=1) -> list[Account]:
    patients = [Details(uuid4(), f"Example {n}", "", n + 1) for n in range(count)]
    return [opened.account for opened in client.open_accounts(patients)]


def test_an_account_is_read_by_its_patient(client):
    [mine] = open_accounts(client)
    assert (
        client.get_account(mine.patient_id)
        == mine
        == Account(mine.account_id, mine.patient_id, 1, False)
    )
    assert client.get_account(uuid4()) is None


def test_a_closed_account_says_so(client):
    [mine] = open_accounts(client)
    closed = client.close_account(mine.patient_id)
    assert closed.is_closed
    assert client.get_account(mine.patient_id) == closed
    with pytest.raises(NoSuchAccount):
        client.close_account(uuid4())


def test_the_list_has_every_account_once_over_all_pages(client, monkeypatch):
    assert list(client.list_accounts()) == []
    monkeypatch.setattr("portal.billing.client.LARGEST_PAGE", 7)
    for count in (7, 16):
        open_accounts(client, count)
    mine = list(client.list_accounts())
    assert len({account.patient_id for account in mine}) == len(mine) == 23
    assert [account.account_id for account in mine] == sorted(
        account.account_id for account in mine
    )


def test_a_server_that_is_away_is_no_empty_list(server, client_of):
    client = client_of("127.0.0.1:1")
    with pytest.raises(BillingAway):
        list(client.list_accounts())
    with pytest.raises(BillingAway):
        client.get_account(uuid4())
