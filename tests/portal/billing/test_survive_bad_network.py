"""P3 over a network that loses things: every patient ends with one account.

The billing server and its database are real; a proxy between server and loop loses what the test
says.
"""

import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

import pytest

from embedded.programs import pick_free_port
from portal.billing.client import BillingClient
from portal.billing.loop import PROBE_SECONDS, BillingLoop
from portal.billing.models import BillingAccount
from portal.patients import services
from portal.relay_loops import Round
from tests.billing_grpc.database import count_waiting_statements, locked_accounts
from tests.fault.proxy import Mode, Network
from tests.portal.billing.conftest import account_of, change, count_waiting, run_until_idle
from tests.waits import wait_for

pytestmark = pytest.mark.django_db
BATCH = 500
HOW = {"by": None, "source": "import"}


@pytest.fixture
def network(server):
    network = Network()
    with network.running():
        network.add("billing", port=pick_free_port(), target=server.port)
        yield network


@pytest.fixture
def loop(network, clock, db):
    """A loop that reaches the server through the proxy."""
    loop = BillingLoop(BillingClient(f"127.0.0.1:{network.proxies['billing'].port}"), clock)
    assert loop.step(1) is Round.IDLE, "the connection stands before anything is lost on it"
    yield loop
    loop.close()


@pytest.fixture
def patients(loop):
    return services.register_patients([{"family_name": f"Example{n}"} for n in range(BATCH)], **HOW)


@contextmanager
def meanwhile(condition: Callable[[], object], happens: Callable[[], object]):
    """Runs `happens` beside the block, as soon as the condition is true."""
    with ThreadPoolExecutor(1) as watcher:
        watching = watcher.submit(lambda: (wait_for(condition), happens()))
        yield
        watching.result(60)


@contextmanager
def reply_lost(network, after):
    """Loses the reply: the server does its work, and the loop sees the connection end."""
    network.set_mode("billing", Mode.DROP_REPLY)
    with meanwhile(after, partial(network.set_mode, "billing", Mode.PASS)):
        yield


def catch_up(loop, clock):
    def is_done() -> bool:
        clock.now += PROBE_SECONDS
        run_until_idle(loop)
        return count_waiting() == 0

    wait_for(is_done)


def assert_each_has_one_account(server, patients):
    accounts = server.accounts()
    theirs = {patient_id: account.account_id for patient_id, account in accounts.items()}
    ours = BillingAccount.objects.filter(
        status="active", attempts=0, last_error_code="", claimed_by=None
    )
    assert {
        str(pk): account_id for pk, account_id in ours.values_list("pk", "account_id")
    } == theirs
    assert set(theirs) == {str(patient.pk) for patient in patients}
    assert set(ours.values_list("synced_version", flat=True)) == {1}


def test_a_reply_lost_after_the_commit_opens_no_second_account(
    loop, server, network, clock, patients
):
    """Red when the batch has no unique key, or rows are marked too early or not postponed."""
    with reply_lost(network, after=lambda: len(server.accounts()) == BATCH):
        assert loop.step(1) is Round.AWAY
    opened = server.accounts()
    assert (
        BillingAccount.objects.filter(status="pending", account_id="", attempts=1).count() == BATCH
    )
    catch_up(loop, clock)
    assert server.accounts() == opened, "the second call found the accounts of the first"
    assert_each_has_one_account(server, patients)


def test_a_lost_reply_to_closing_keeps_the_first_closing_time(
    loop, server, network, clock, patient
):
    run_until_idle(loop)
    services.archive_patient(patient.pk, **HOW)

    def closed_at():
        theirs = server.accounts()[str(patient.pk)]
        return theirs.HasField("closed_at") and theirs.closed_at

    with reply_lost(network, after=closed_at):
        assert loop.step(1) is Round.AWAY
    first = closed_at()
    assert account_of(patient).status == "active", "the row has the last answer of billing"
    catch_up(loop, clock)
    assert account_of(patient).status == "closed"
    assert closed_at() == first


def test_a_change_after_a_lost_reply_reaches_billing_too(loop, server, network, clock, patient):
    """The account is there at version 1, we know of none, and the patient is at version 2."""
    with reply_lost(network, after=server.accounts):
        loop.step(1)
    change(patient, family_name="Corrected")
    catch_up(loop, clock)
    [theirs] = server.accounts().values()
    assert (theirs.name, theirs.patient_version) == ("Jane Corrected", 2)
    assert (account_of(patient).account_id, account_of(patient).synced_version) == (
        theirs.account_id,
        2,
    )


def test_archiving_after_a_lost_reply_ends_closed(loop, server, network, clock, patient):
    with reply_lost(network, after=server.accounts):
        loop.step(1)
    services.archive_patient(patient.pk, **HOW)
    catch_up(loop, clock)
    [theirs] = server.accounts().values()
    assert (theirs.HasField("closed_at"), theirs.patient_version) == (True, 2)
    assert (account_of(patient).status, account_of(patient).synced_version) == ("closed", 2)


def test_a_server_slower_than_our_deadline_opens_no_second_account(
    loop, server, clock, patients, monkeypatch
):
    """A lock holds its transaction up; it commits long after our deadline."""
    monkeypatch.setattr("portal.billing.client.BATCH_SECONDS", 0.5)
    with locked_accounts(server.url, "EXCLUSIVE"):

        def it_waits_for_the_lock() -> bool:
            clock.now += PROBE_SECONDS
            assert loop.step(1) is Round.AWAY
            return count_waiting_statements(server.url) > 0

        wait_for(it_waits_for_the_lock)
        assert set(
            BillingAccount.objects.exclude(attempts=0).values_list("last_error_code", flat=True)
        ) == {"DEADLINE_EXCEEDED"}
    wait_for(server.accounts)
    monkeypatch.setattr("portal.billing.client.BATCH_SECONDS", 60.0)
    catch_up(loop, clock)
    assert_each_has_one_account(server, patients)


def test_a_connection_reset_in_the_midst_of_a_batch_loses_nothing(
    loop, server, network, clock, patients
):
    with (
        locked_accounts(server.url, "EXCLUSIVE"),
        meanwhile(
            lambda: count_waiting_statements(server.url),
            partial(network.set_mode, "billing", Mode.RESET),
        ),
    ):
        assert loop.step(1) is Round.AWAY
    network.set_mode("billing", Mode.PASS)
    catch_up(loop, clock)
    assert_each_has_one_account(server, patients)


def test_a_network_that_swallows_everything_ends_at_the_deadline(
    loop, server, network, clock, patients, monkeypatch
):
    """Red without a deadline: the connection is open, and nothing ever comes back."""
    monkeypatch.setattr("portal.billing.client.BATCH_SECONDS", 0.5)
    network.set_mode("billing", Mode.BLACK_HOLE)
    assert loop.step(1) is Round.AWAY
    assert (
        BillingAccount.objects.filter(last_error_code="DEADLINE_EXCEEDED", claimed_by=None).count()
        == BATCH
    )
    monkeypatch.setattr("portal.billing.client.BATCH_SECONDS", 60.0)
    network.set_mode("billing", Mode.PASS)
    catch_up(loop, clock)
    assert_each_has_one_account(server, patients)


def test_a_server_killed_in_the_midst_of_a_batch_loses_nothing(loop, server, clock, patients):
    """Its transaction is open; PostgreSQL rolls it back."""
    with (
        locked_accounts(server.url, "EXCLUSIVE"),
        meanwhile(
            lambda: count_waiting_statements(server.url), partial(server.end, signal.SIGKILL)
        ),
    ):
        assert loop.step(1) is Round.AWAY
    server.start()
    catch_up(loop, clock)
    assert_each_has_one_account(server, patients)


def test_a_server_killed_between_commit_and_reply_opens_no_second_account(
    loop, server, network, clock, patients
):
    network.set_mode("billing", Mode.DROP_REPLY)
    with meanwhile(lambda: len(server.accounts()) == BATCH, partial(server.end, signal.SIGKILL)):
        assert loop.step(1) is Round.AWAY
    server.start()
    network.set_mode("billing", Mode.PASS)
    opened = server.accounts()
    catch_up(loop, clock)
    assert server.accounts() == opened
    assert_each_has_one_account(server, patients)
