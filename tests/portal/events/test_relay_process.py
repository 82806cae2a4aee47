"""P4: the real `manage.py relay` loses nothing: killed, paused, without broker or database."""

import signal

import pytest
from django.db import connection

from portal import health
from portal.events import leases
from portal.events.models import RelayLease
from portal.events.selectors import seconds_away
from portal.patients.models import EventOutbox
from tests.portal.events.conftest import change, new_patient, stopped
from tests.portal.events.relays import database_away, running_relay
from tests.waits import wait_for

pytestmark = pytest.mark.django_db(transaction=True)


def outbox_is_empty() -> bool:
    return not EventOutbox.objects.exists()


def test_it_delivers_and_ends_cleanly_on_a_signal(topic, tmp_path):
    patient = new_patient()
    with running_relay(tmp_path) as relay:
        wait_for(outbox_is_empty)
        assert topic.versions(1) == {str(patient.pk): [1]}
        assert relay.end() == 0
    assert leases.acquire_lease("the next one") is not None, "the lease was let go of"


def test_when_the_leader_is_killed_the_other_one_takes_over(topic, tmp_path):
    patient = new_patient()
    with running_relay(tmp_path) as first:
        first.wait_until_logged("leading")
        with running_relay(tmp_path) as second:
            wait_for(outbox_is_empty)
            first.signal(signal.SIGKILL)
            change(patient, city="Leeds")
            wait_for(outbox_is_empty)
            second.wait_until_logged("leading")
    assert topic.versions(2) == {str(patient.pk): [1, 2]}


def test_a_paused_leader_that_wakes_spoils_nothing(topic, tmp_path):
    patient = new_patient()
    with running_relay(tmp_path) as paused:
        wait_for(outbox_is_empty)
        with running_relay(tmp_path) as second:
            paused.signal(signal.SIGSTOP)
            second.wait_until_logged("leading")
            fence = RelayLease.objects.get().fence
            paused.signal(signal.SIGCONT)
            for city in ("Leeds", "York", "Hull"):
                change(patient, city=city)
            wait_for(outbox_is_empty)
            paused.wait_until_logged("standing_by")
            assert RelayLease.objects.get().fence == fence
    assert topic.versions(4) == {str(patient.pk): [1, 2, 3, 4]}


def test_it_starts_without_a_broker_and_delivers_when_it_comes(topic, tmp_path, broker):
    patient = new_patient()
    with running_relay(tmp_path) as relay:
        with stopped(broker):
            relay.wait_until_logged("round_failed")
            change(patient, city="Leeds")
        wait_for(outbox_is_empty)
        assert relay.popen.poll() is None
    assert topic.versions(2) == {str(patient.pk): [1, 2]}


def test_it_outlives_its_database(topic, tmp_path):
    patient = new_patient()
    with running_relay(tmp_path) as relay:
        wait_for(outbox_is_empty)
        with database_away():
            connection.close()
            relay.wait_until_logged("round_failed", "election_failed")
        change(patient, city="Leeds")
        wait_for(outbox_is_empty)
        assert relay.popen.poll() is None
    assert topic.versions(2) == {str(patient.pk): [1, 2]}


def test_its_log_names_nobody(topic, tmp_path):
    new_patient(family_name="Unmistakable", email="unmistakable@example.org")
    with running_relay(tmp_path, LOG_LEVEL="DEBUG") as relay:
        wait_for(outbox_is_empty)
        relay.end()
    assert "nmistakable" not in relay.log.read_text()


def test_a_silent_broker_shows_while_nothing_waits(topic, tmp_path, broker):
    with running_relay(tmp_path) as relay:
        wait_for(lambda: seconds_away().get("events") == 0)
        with stopped(broker):
            wait_for(lambda: not health.check_events().ok)
        wait_for(lambda: health.check_events().ok)
        assert relay.popen.poll() is None
    assert not EventOutbox.objects.exists()
