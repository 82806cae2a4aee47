"""A leader that is paused at any point, and wakes when another leads, writes nothing anywhere."""

import signal
from datetime import timedelta

import pytest
from django.utils import timezone

from portal.billing.models import BillingAccount
from portal.events.models import QuarantinedEvent, RelayLease, TopicEnd, TopicRefill
from portal.patients.models import EventOutbox
from tests.portal.billing.server import billing_server
from tests.portal.events.conftest import change, new_patient
from tests.portal.events.relays import pausing_relay, running_relay
from tests.waits import wait_for

pytestmark = pytest.mark.django_db(transaction=True)
POINTS = [
    "before the send",
    "in the producer",
    "between two waves",
    "before the second wave",
    "between the send and its record",
    "while it records the delivery",
]


def outbox_is_empty() -> bool:
    return not EventOutbox.objects.exists()


def lease_is_fresh() -> bool:
    """Tells whether the leader has renewed its lease, so that a woken relay cannot take it."""
    return RelayLease.objects.filter(expires_at__gt=timezone.now() + timedelta(seconds=1)).exists()


def stored() -> list[list[tuple]]:
    """Returns all that a relay writes, but for the renewals of the lease."""
    lease = list(RelayLease.objects.values_list("holder", "fence"))
    return [
        lease,
        *(
            sorted(model.objects.values_list())
            for model in (TopicEnd, TopicRefill, QuarantinedEvent)
        ),
    ]


def sent(topic) -> list[tuple[str, int]]:
    return sorted((record.key, record.event.version) for record in topic.records())


@pytest.fixture
def patients():
    """Two patients with three versions each, to be sent in three waves."""
    patients = [new_patient(family_name=f"Example{n}") for n in range(2)]
    for city in ("Leeds", "York"):
        for patient in patients:
            change(patient, city=city)
    return patients


@pytest.mark.parametrize("point", POINTS)
def test_a_woken_leader_writes_nothing(topic, tmp_path, patients, point):
    with pausing_relay(tmp_path, point) as paused:
        wait_for(paused.is_stopped)
        with running_relay(tmp_path) as second:
            second.wait_until_logged("leading")
            for patient in patients:
                change(patient, city="Hull")
            wait_for(outbox_is_empty)
            wait_for(lease_is_fresh)
            before = stored(), sent(topic)
            paused.signal(signal.SIGCONT)
            paused.wait_until_logged("standing_by")
            assert paused.end() == 0, paused.log.read_text()
            assert (stored(), sent(topic)) == before
    assert topic.versions(8) == {str(patient.pk): [1, 2, 3, 4] for patient in patients}


def test_what_was_almost_in_the_socket_comes_twice_and_in_order(topic, tmp_path, patients):
    with pausing_relay(tmp_path, "on the way to the socket") as paused:
        wait_for(paused.is_stopped)
        with running_relay(tmp_path) as second:
            second.wait_until_logged("leading")
            wait_for(outbox_is_empty)
            wait_for(lease_is_fresh)
            before = stored()
            paused.signal(signal.SIGCONT)
            paused.wait_until_logged("standing_by")
            assert paused.end() == 0, paused.log.read_text()
            assert stored() == before
    assert topic.versions(6) == {str(patient.pk): [1, 2, 3] for patient in patients}


@pytest.mark.parametrize("point", ["billing, before the call", "billing, before the mark"])
def test_a_woken_leader_opens_no_second_account(topic, tmp_path, settings, patients, point):
    with billing_server(tmp_path) as server:
        settings.BILLING_GRPC_ADDRESS = server.address
        with pausing_relay(tmp_path, point) as paused:
            wait_for(paused.is_stopped)
            with running_relay(tmp_path) as second:
                second.wait_until_logged("leading")
                wait_for(lambda: BillingAccount.objects.filter(status="active").count() == 2)
                waiting = BillingAccount.objects.filter(next_attempt_at__isnull=False)
                wait_for(lambda: not waiting.exists())
                before = sorted(BillingAccount.objects.values_list()), server.accounts()
                paused.signal(signal.SIGCONT)
                paused.wait_until_logged("standing_by")
                assert paused.end() == 0, paused.log.read_text()
                assert (sorted(BillingAccount.objects.values_list()), server.accounts()) == before
    assert len(before[1]) == 2
