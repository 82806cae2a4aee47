"""UpdateBillingAccount with a status: the account is closed and opened again as the patient's highest version says."""

from concurrent.futures import ThreadPoolExecutor
from itertools import permutations
from threading import Barrier

from tests.billing_grpc.caller import ACTIVE, CLOSED, new_patient, refusal


def opened(billing, **changes):
    return billing.open(new_patient(**changes)).account


def told(billing, account, version, status=0, name="Zoë Müller"):
    return billing.update(
        patient_id=account.patient_id,
        name=name,
        email="zoe@example.org",
        patient_version=version,
        status=status,
    )


def test_closing_says_since_when_and_opening_again_clears_it(billing):
    """Red when opening again keeps the closing time."""
    before = opened(billing)
    closed = told(billing, before, 2, CLOSED)
    assert (closed.updated, closed.account.status, closed.account.account_id) == (
        True,
        CLOSED,
        before.account_id,
    )
    assert closed.account.HasField("closed_at")
    again = told(billing, before, 3, ACTIVE)
    assert (again.updated, again.account.status, again.account.patient_version) == (True, ACTIVE, 3)
    assert not again.account.HasField("closed_at")
    assert billing.get(before.patient_id) == again.account


def test_a_closed_account_keeps_its_first_closing_time_while_it_stays_closed(billing):
    before = opened(billing)
    first = told(billing, before, 2, CLOSED).account
    for later in (told(billing, before, 3, CLOSED, "Zoë Meyer"), told(billing, before, 4)):
        assert (later.account.status, later.account.closed_at) == (CLOSED, first.closed_at)


def test_a_late_call_neither_closes_nor_opens(billing):
    """Red when the status is written without comparing versions."""
    account = opened(billing)
    newest = told(billing, account, 5, ACTIVE).account
    late = told(billing, account, 4, CLOSED)
    assert (late.updated, late.account) == (False, newest)
    closed = told(billing, account, 6, CLOSED).account
    assert told(billing, account, 5, ACTIVE).account == closed


def test_calls_in_any_order_end_as_the_highest_version_says(billing):
    calls = [(2, CLOSED), (3, ACTIVE), (4, CLOSED)]
    for order in permutations(calls):
        account = opened(billing)
        for version, status in order:
            told(billing, account, version, status)
        theirs = billing.get(account.patient_id)
        assert (theirs.status, theirs.patient_version) == (CLOSED, 4)


def test_calls_at_the_same_moment_end_as_the_highest_version_says(billing):
    for _ in range(10):
        account, together = opened(billing), Barrier(6)

        def call(version, account=account, together=together):
            together.wait()
            return told(billing, account, version, ACTIVE if version % 2 else CLOSED)

        with ThreadPoolExecutor(6) as callers:
            list(callers.map(call, [7, 2, 5, 4, 3, 6]))
        theirs = billing.get(account.patient_id)
        assert (theirs.status, theirs.patient_version) == (ACTIVE, 7)


def test_the_same_call_again_changes_nothing_and_says_so(billing):
    account = opened(billing)
    closed = told(billing, account, 2, CLOSED)
    again = told(billing, account, 2, CLOSED)
    assert (again.updated, again.account) == (False, closed.account)


def test_at_the_same_version_the_status_counts_and_the_details_do_not(billing):
    """So a patient who is archived already is opened and closed at one version, and a wrong closing can be mended."""
    account = opened(billing)
    closed = told(billing, account, 1, CLOSED, "Other")
    assert (closed.updated, closed.account.status, closed.account.name) == (
        True,
        CLOSED,
        "Zoë Müller",
    )
    billing.close(account.patient_id)
    assert told(billing, account, 1, ACTIVE).account.status == ACTIVE


def test_without_a_status_it_stays_as_it_is(billing):
    account = opened(billing)
    billing.close(account.patient_id)
    assert told(billing, account, 2).account.status == CLOSED


def test_an_unknown_status_is_refused_by_name(billing):
    account = opened(billing)
    answer = refusal(told, billing, account, 2, 7)
    assert answer == ("INVALID_ARGUMENT", "status: must be ACTIVE, CLOSED or left out")
    assert billing.get(account.patient_id) == account
