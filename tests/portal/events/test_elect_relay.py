"""A single process leads; each leader has a higher number, and older numbers are refused."""

import pytest
from django.db import connection

from portal.events import leases
from portal.events.models import RelayLease
from portal.events.selectors import relay_state
from portal.relay_loops import LeaseLost

pytestmark = pytest.mark.django_db


def take(holder: str) -> leases.Lease | None:
    """Takes the lease for longer than any test lasts."""
    return leases.acquire_lease(holder, seconds=600)


def expire():
    with connection.cursor() as cursor:
        cursor.execute("UPDATE events_relaylease SET expires_at = now() - interval '1 second'")


def test_the_first_takes_the_lease_and_the_second_stands_by():
    assert take("first").fence == 1
    assert take("second") is None


def test_renewing_keeps_the_number():
    take("first")
    assert take("first").fence == 1


def test_an_expired_lease_goes_to_the_next_with_a_higher_number():
    take("first")
    expire()
    assert take("second").fence == 2
    assert take("first") is None


def test_a_released_lease_is_free_at_once():
    take("first")
    leases.release_lease("first")
    assert take("second").fence == 2


def test_only_the_holder_can_release():
    take("first")
    leases.release_lease("second")
    assert take("second") is None


def test_an_earlier_leaders_write_is_refused():
    first = take("first").fence
    leases.require_lease(first)
    expire()
    second = take("second").fence
    with pytest.raises(LeaseLost):
        leases.require_lease(first)
    leases.require_lease(second)


def test_a_lease_ends_on_the_holders_own_clock():
    assert leases.acquire_lease("first", seconds=600).is_good
    assert not leases.acquire_lease("first", seconds=0).is_good


def test_operators_see_whether_someone_leads():
    assert not relay_state().is_led
    take("first")
    assert relay_state().is_led
    assert relay_state().lease_age_seconds < 600
    expire()
    assert not relay_state().is_led
    assert RelayLease.objects.get().holder == "first"
