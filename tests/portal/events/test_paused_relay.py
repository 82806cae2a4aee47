"""A leader that is stopped at any point and wakes when another one leads writes nothing, here or on the topic."""

import signal

import pytest

from portal.billing.models import BillingAccount
from portal.events.models import QuarantinedEvent, RelayLease, TopicEnd, TopicRefill
from portal.patients.models import EventOutbox
from tests.portal.billing.server import billing_server
from tests.portal.events.conftest import change, new_patient
from tests.portal.events.relays import relaying, sleeping
from tests.waits import wait_for

pytestmark = pytest.mark.django_db(transaction=True)
POINTS = [
    "before the send",
    "in the producer",
    "between two waves",
    "before the second wave",
    "between the send and the settling",
    "while it settles",
]


def outbox_is_empty() -> bool:
    return not EventOutbox.objects.exists()


def stored() -> list[list[tuple]]:
    """All that a relay writes, but for the renewals of the lease."""
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
def people():
    """Two patients with three versions each, to be sent in three waves."""
    people = [new_patient(family_name=f"Example{n}") for n in range(2)]
    for city in ("Leeds", "York"):
        for patient in people:
            change(patient, city=city)
    return people


@pytest.mark.parametrize("point", POINTS)
def test_a_woken_leader_writes_nothing(topic, tmp_path, people, point):
    with sleeping(tmp_path, point) as sleeper:
        wait_for(sleeper.is_stopped)
        with relaying(tmp_path) as second:
            second.wait_until_said("leading")
            for patient in people:
                change(patient, city="Hull")
            wait_for(outbox_is_empty)
            before = stored(), sent(topic)
            sleeper.signal(signal.SIGCONT)
            sleeper.wait_until_said("standing_by")
            assert sleeper.end() == 0, sleeper.log.read_text()
            assert (stored(), sent(topic)) == before
    assert topic.versions(8) == {str(patient.pk): [1, 2, 3, 4] for patient in people}


def test_what_was_almost_in_the_socket_comes_twice_and_out_of_no_order(topic, tmp_path, people):
    with sleeping(tmp_path, "on the way to the socket") as sleeper:
        wait_for(sleeper.is_stopped)
        with relaying(tmp_path) as second:
            second.wait_until_said("leading")
            wait_for(outbox_is_empty)
            before = stored()
            sleeper.signal(signal.SIGCONT)
            sleeper.wait_until_said("standing_by")
            assert sleeper.end() == 0, sleeper.log.read_text()
            assert stored() == before
    assert topic.versions(6) == {str(patient.pk): [1, 2, 3] for patient in people}


@pytest.mark.parametrize("point", ["billing, before the call", "billing, before the mark"])
def test_a_woken_leader_opens_no_second_account(topic, tmp_path, settings, people, point):
    with billing_server(tmp_path) as server:
        settings.BILLING_GRPC_ADDRESS = server.address
        with sleeping(tmp_path, point) as sleeper:
            wait_for(sleeper.is_stopped)
            with relaying(tmp_path) as second:
                second.wait_until_said("leading")
                wait_for(lambda: BillingAccount.objects.filter(status="active").count() == 2)
                wait_for(
                    lambda: (
                        not BillingAccount.objects.filter(next_attempt_at__isnull=False).exists()
                    )
                )
                before = sorted(BillingAccount.objects.values_list()), server.accounts()
                sleeper.signal(signal.SIGCONT)
                sleeper.wait_until_said("standing_by")
                assert sleeper.end() == 0, sleeper.log.read_text()
                assert (sorted(BillingAccount.objects.values_list()), server.accounts()) == before
    assert len(before[1]) == 2
