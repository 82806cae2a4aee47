"""A peer that is away shows while nothing waits for it: in a row, a check and a metric."""

import threading
from datetime import timedelta

import pytest
from django.utils import timezone

from portal import health
from portal.events import leases
from portal.events.loop_health import LoopHealth
from portal.events.models import RelayLoop
from portal.events.relay import Relay
from portal.events.selectors import seconds_away
from portal.relay_loops import Round
from tests.waits import wait_for

pytestmark = pytest.mark.django_db


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def loop_health(clock):
    return LoopHealth("events", clock)


def row() -> tuple[bool, str]:
    found = RelayLoop.objects.get(pk="events")
    return found.away_since is not None, found.error


def test_away_counts_from_the_beginning_of_the_first_failed_round(loop_health, clock, fence):
    began = timezone.now() - timedelta(seconds=7)
    loop_health.record("KafkaTimeoutError", began=began, fence=fence)
    clock.now = 5.0
    loop_health.record("KafkaConnectionError", began=timezone.now(), fence=fence)
    assert row() == (True, "KafkaConnectionError")
    assert 7 <= seconds_away()["events"] < 60


def test_a_round_that_goes_well_clears_it(loop_health, clock, fence):
    loop_health.record("KafkaTimeoutError", began=timezone.now(), fence=fence)
    clock.now = 5.0
    loop_health.record("", began=timezone.now(), fence=fence)
    assert row() == (False, "")
    assert seconds_away() == {"events": 0.0}


def test_it_is_written_on_change_and_at_most_every_two_seconds(
    loop_health, clock, fence, django_assert_num_queries
):
    loop_health.record("", began=timezone.now(), fence=fence)
    with django_assert_num_queries(0):
        loop_health.record("KafkaTimeoutError", began=timezone.now(), fence=fence)
        clock.now = 3.0
        loop_health.record("", began=timezone.now(), fence=fence)
    assert row() == (False, "")
    loop_health.record("KafkaTimeoutError", began=timezone.now(), fence=fence)
    assert row() == (True, "KafkaTimeoutError")


def test_a_relay_that_no_longer_leads_writes_nothing(loop_health, fence):
    RelayLoop.objects.create(name="events")
    loop_health.record("KafkaTimeoutError", began=timezone.now(), fence=fence - 1)
    assert row() == (False, "")


def test_a_new_leader_writes_what_it_finds_first(clock, fence):
    RelayLoop.objects.create(name="events", away_since=timezone.now(), error="KafkaTimeoutError")
    LoopHealth("events", clock).record("", began=timezone.now(), fence=fence)
    assert row() == (False, "")


class FaultyLoop:
    """A loop whose other side is away; it answers so, or raises."""

    answer: Round | Exception = Round.AWAY

    def step(self, fence):
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def close(self):
        pass


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("answer", "kind"), [(Round.AWAY, "Away"), (ConnectionError(), "ConnectionError")]
)
def test_the_relay_records_what_its_loops_answer(answer, kind):
    loop = FaultyLoop()
    loop.answer = answer
    relay = Relay({"events": lambda: loop})
    thread = threading.Thread(target=relay.run)
    thread.start()
    try:
        wait_for(lambda: RelayLoop.objects.filter(error=kind, away_since__isnull=False).exists())
        loop.answer = Round.IDLE
        wait_for(lambda: RelayLoop.objects.filter(error="", away_since=None).exists())
    finally:
        relay.stopping.set()
        thread.join()


@pytest.mark.parametrize(
    ("check", "loop"), [(health.check_events, "events"), (health.check_billing, "billing")]
)
@pytest.mark.parametrize(("seconds", "ok"), [(None, True), (1, True), (4, False)])
def test_a_check_is_not_ok_once_its_loop_is_away_for_three_seconds(check, loop, seconds, ok):
    leases.acquire_lease("a relay")
    since = timezone.now() - timedelta(seconds=seconds) if seconds else None
    RelayLoop.objects.create(name=loop, away_since=since)
    assert check().ok is ok


def test_the_metric_names_each_loop(client):
    RelayLoop.objects.create(
        name="events", away_since=timezone.now() - timedelta(seconds=1), error="KafkaTimeoutError"
    )
    RelayLoop.objects.create(name="billing")
    text = client.get("/metrics", SERVER_PORT="4003").content.decode()
    assert 'portal_relay_loop_away{loop="events"} 1.0' in text
    assert 'portal_relay_loop_away{loop="billing"} 0.0' in text
