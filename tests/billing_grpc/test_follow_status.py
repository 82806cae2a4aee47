"""UpdateBillingAccount with a status: the patient's highest version closes or opens the account."""

from concurrent.futures import ThreadPoolExecutor
from itertools import permutations
from threading import Barrier

from tests.billing_grpc.caller import ACTIVE, CLOSED, new_patient, refusal


def open_account(billing, **changes):
    return billing.open(new_patient(**changes)).account


def update(billing, account, version, status=0, name="Zoë Müller"):
    return billing.update(
        patient_id=account.patient_id,
        name=name,
        email="zoe@example.org",
        patient_version=version,
        status=status,
    )


def test_closing_says_since_when_and_opening_again_clears_it(billing):
    """Red when opening again keeps the closing time."""
    before = open_account(billing)
    closed = update(billing, before, 2, CLOSED)
    assert (closed.updated, closed.account.status, closed.account.account_id) == (
        True,
        CLOSED,
        before.account_id,
    )
    assert closed.account.HasField("closed_at")
    again = update(billing, before, 3, ACTIVE)
    assert (again.updated, again.account.status, again.account.patient_version) == (True, ACTIVE, 3)
    assert not again.account.HasField("closed_at")
    assert billing.get(before.patient_id) == again.account


def test_a_closed_account_keeps_its_first_closing_time(billing):
    before = open_account(billing)
    first = update(billing, before, 2, CLOSED).account
    for later in (update(billing, before, 3, CLOSED, "Zoë Meyer"), update(billing, before, 4)):
        assert (later.account.status, later.account.closed_at) == (CLOSED, first.closed_at)


def test_a_late_call_neither_closes_nor_opens(billing):
    """Red when the status is written without comparing versions."""
    account = open_account(billing)
    newest = update(billing, account, 5, ACTIVE).account
    late = update(billing, account, 4, CLOSED)
    assert (late.updated, late.account) == (False, newest)
    closed = update(billing, account, 6, CLOSED).account
    assert update(billing, account, 5, ACTIVE).account == closed


def test_calls_in_any_order_end_as_the_highest_version_says(billing):
    calls = [(2, CLOSED), (3, ACTIVE), (4, CLOSED)]
    for order in permutations(calls):
        account = open_account(billing)
        for version, status in order:
            update(billing, account, version, status)
        theirs = billing.get(account.patient_id)
        assert (theirs.status, theirs.patient_version) == (CLOSED, 4)


def test_calls_at_the_same_moment_end_as_the_highest_version_says(billing):
    for _ in range(10):
        account, together = open_account(billing), Barrier(6)

        def call(version, account=account, together=together):
            together.wait()
            return update(billing, account, version, ACTIVE if version % 2 else CLOSED)

        with ThreadPoolExecutor(6) as callers:
            list(callers.map(call, [7, 2, 5, 4, 3, 6]))
        theirs = billing.get(account.patient_id)
        assert (theirs.status, theirs.patient_version) == (ACTIVE, 7)


def test_the_same_call_again_changes_nothing_and_answers_so(billing):
    account = open_account(billing)
    closed = update(billing, account, 2, CLOSED)
    again = update(billing, account, 2, CLOSED)
    assert (again.updated, again.account) == (False, closed.account)


def test_at_the_same_version_the_status_counts_and_the_details_do_not(billing):
    """So an archived patient is opened and closed at a version, and a closing can be corrected."""
    account = open_account(billing)
    closed = update(billing, account, 1, CLOSED, "Other")
    assert (closed.updated, closed.account.status, closed.account.name) == (
        True,
        CLOSED,
        "Zoë Müller",
    )
    billing.close(account.patient_id)
    assert update(billing, account, 1, ACTIVE).account.status == ACTIVE


def test_without_a_status_it_stays_as_it_is(billing):
    account = open_account(billing)
    billing.close(account.patient_id)
    assert update(billing, account, 2).account.status == CLOSED


def test_an_unknown_status_is_refused_by_name(billing):
    account = open_account(billing)
    answer = refusal(update, billing, account, 2, 7)
    assert answer == ("INVALID_ARGUMENT", "status: must be ACTIVE, CLOSED or left out")
    assert billing.get(account.patient_id) == account
