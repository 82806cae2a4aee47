"""P4: the loop notices that billing is away, even when nothing waits, and that it is back."""

import signal

import pytest

from portal.billing.client import BillingAway, Details
from portal.billing.loop import PROBE_SECONDS, BillingLoop
from portal.relay_loops import Round
from tests.billing_grpc.database import database_away
from tests.portal.billing.conftest import account_of, new_patient
from tests.waits import wait_for

pytestmark = pytest.mark.django_db


def after_a_while(loop, clock) -> Round:
    clock.now += PROBE_SECONDS
    return loop.step(1)


def test_an_idle_loop_notices_that_billing_went_and_that_it_is_back(loop, server, clock):
    """Red when only waiting rows ask."""
    # On a busy machine the first answer may come late.
    wait_for(lambda: after_a_while(loop, clock) is Round.IDLE)
    server.end()
    assert loop.step(1) is Round.IDLE, "it heard of billing just now"
    assert after_a_while(loop, clock) is Round.AWAY
    assert loop.step(1) is Round.AWAY
    server.start()
    wait_for(lambda: after_a_while(loop, clock) is Round.IDLE)


def test_the_probes_come_every_three_seconds_or_sooner():
    """The relay's row, and so /health/ready, is to turn within 10 s."""
    assert PROBE_SECONDS <= 3


def test_a_loop_with_waiting_rows_notices_that_billing_is_away(loop, server, clock, patient):
    server.end()
    assert loop.step(1) is Round.AWAY
    assert after_a_while(loop, clock) is Round.AWAY
    server.start()
    wait_for(lambda: after_a_while(loop, clock) is not Round.AWAY)
    assert account_of(patient).status == "active"


def test_the_first_call_after_it_is_back_finds_it(loop, server, clock, patient):
    """Red when the old connection is kept: gRPC would try it again later and later."""
    server.end()
    for _ in range(4):
        assert after_a_while(loop, clock) is Round.AWAY
    server.start()
    assert after_a_while(loop, clock) is not Round.AWAY
    assert account_of(patient).status == "active"


def test_a_billing_server_that_has_stopped_is_away(loop, server, clock, monkeypatch):
    """The connection is open and nothing answers. Red without a deadline."""
    monkeypatch.setattr("portal.billing.client.CHECK_SECONDS", 0.2)
    wait_for(lambda: after_a_while(loop, clock) is Round.IDLE)
    server.send(signal.SIGSTOP)
    try:
        # The signal takes a moment to reach all threads.
        wait_for(lambda: after_a_while(loop, clock) is Round.AWAY)
    finally:
        server.send(signal.SIGCONT)
    wait_for(lambda: after_a_while(loop, clock) is Round.IDLE)


def test_a_billing_server_without_its_database_is_away(loop, server, clock):
    wait_for(lambda: after_a_while(loop, clock) is Round.IDLE)
    with database_away(server.url):
        wait_for(lambda: after_a_while(loop, clock) is Round.AWAY)
    wait_for(lambda: after_a_while(loop, clock) is Round.IDLE)


def test_the_probe_leaves_no_line_in_billings_log(loop, server, clock):
    before = server.log.read_text().count('"event": "call"')
    for _ in range(5):
        after_a_while(loop, clock)
    assert server.log.read_text().count('"event": "call"') == before


def test_a_round_that_broke_off_leaves_nothing_claimed(loop, server, clock, patient):
    """PostgreSQL may end between call and mark. Red when the claim has to run out first."""

    class Breaks(Exception):
        pass

    class BreaksOnce:
        calls = 0

        def open_accounts(self, many):
            self.calls += 1
            if self.calls == 1:
                raise Breaks
            return loop._client.open_accounts(many)

        def update_accounts(self, many):
            return []

        def check(self):
            pass

    breaking = BillingLoop(BreaksOnce(), clock)
    with pytest.raises(Breaks):
        breaking.step(1)
    assert account_of(patient).claimed_by == 1
    assert breaking.step(1) is Round.DONE
    assert account_of(patient).status == "active"


def test_an_update_that_gets_no_answer_does_not_wait_for_each_group(
    server, client_of, monkeypatch, db
):
    monkeypatch.setattr("portal.billing.client.CALLS_AT_ONCE", 2)
    patients = [new_patient(family_name=f"Example{n}") for n in range(6)]
    client, groups = client_of("127.0.0.1:1"), []
    update_group = client._update_group

    def count_group(group):
        groups.append(len(group))
        return update_group(group)

    monkeypatch.setattr(client, "_update_group", count_group)
    errors = client.update_accounts([Details(patient.pk, "Jane", "", 1) for patient in patients])
    assert [type(error) for error in errors] == [BillingAway] * 6
    assert groups == [2]
