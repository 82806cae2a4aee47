"""One process relays at a time; a later leader's number is higher, and an earlier one's writes are refused."""

import pytest
from django.db import connection

from portal.events import leases
from portal.events.models import RelayLease
from portal.events.selectors import relay_state
from portal.loops import LeaseLost

pytestmark = pytest.mark.django_db


def expire():
    with connection.cursor() as cursor:
        cursor.execute("UPDATE events_relaylease SET expires_at = now() - interval '1 second'")


def test_the_first_takes_the_lease_and_the_second_stands_by():
    assert leases.take_or_renew("first").fence == 1
    assert leases.take_or_renew("second") is None


def test_renewing_keeps_the_number():
    leases.take_or_renew("first")
    assert leases.take_or_renew("first").fence == 1


def test_an_expired_lease_goes_to_the_next_with_a_higher_number():
    leases.take_or_renew("first")
    expire()
    assert leases.take_or_renew("second").fence == 2
    assert leases.take_or_renew("first") is None


def test_a_released_lease_is_free_at_once():
    leases.take_or_renew("first")
    leases.release("first")
    assert leases.take_or_renew("second").fence == 2


def test_only_the_holder_can_release():
    leases.take_or_renew("first")
    leases.release("second")
    assert leases.take_or_renew("second") is None


def test_an_earlier_leaders_write_is_refused():
    first = leases.take_or_renew("first").fence
    leases.insist_on(first)
    expire()
    second = leases.take_or_renew("second").fence
    with pytest.raises(LeaseLost):
        leases.insist_on(first)
    leases.insist_on(second)


def test_a_lease_ends_on_the_holders_own_clock():
    assert leases.take_or_renew("first", seconds=60).is_good
    assert not leases.take_or_renew("first", seconds=0).is_good


def test_operators_see_whether_someone_leads():
    assert not relay_state().is_led
    leases.take_or_renew("first")
    assert relay_state().is_led
    assert relay_state().lease_age_seconds < 60
    expire()
    assert not relay_state().is_led
    assert RelayLease.objects.get().holder == "first"
