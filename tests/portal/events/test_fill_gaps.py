"""P2: an event that the figures lack is sent again, less and less often if it never counts."""

import json
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from uuid import UUID, uuid4

import httpx
import pytest
from django.utils import timezone

from portal.events.gaps import Gap, GapsClient, GapsLoop
from portal.patients.models import EventOutbox, PatientEvent
from portal.relay_loops import LeaseLost, Round
from tests.portal.events.conftest import change, new_patient

pytestmark = pytest.mark.django_db


class Analytics:
    """Analytics with gaps that the test adds; it raises when it is away."""

    def __init__(self):
        self.answer: list[Gap] = []
        self.limits: list[int] = []
        self.error: Exception | None = None

    def gaps(self, limit):
        self.limits.append(limit)
        if self.error:
            raise self.error
        return self.answer[:limit]

    def has_gap(self, patient_id, *, seconds=60):
        self.answer.append(Gap(patient_id, timezone.now() - timedelta(seconds=seconds)))


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def gap_source():
    return Analytics()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def loop(gap_source, clock):
    return GapsLoop(gap_source, clock)


@pytest.fixture
def patients():
    """Two patients with two events each, all delivered."""
    patients = [new_patient(family_name=f"Example{n}") for n in range(2)]
    for patient in patients:
        change(patient, city="Leeds")
    deliver_all()
    return patients


def deliver_all():
    EventOutbox.objects.all().delete()


def waiting() -> set[int]:
    return set(EventOutbox.objects.values_list("event_id", flat=True))


def events_of(patient) -> set[int]:
    return set(PatientEvent.objects.filter(pgh_obj_id=patient.pk).values_list("pk", flat=True))


def test_a_patient_with_a_gap_gets_all_events_again(loop, gap_source, fence, patients):
    gap_source.has_gap(patients[0].pk)
    assert loop.step(fence) is Round.DONE
    assert waiting() == events_of(patients[0])


def test_a_young_gap_may_close_by_itself(loop, gap_source, clock, fence, patients):
    gap_source.has_gap(patients[0].pk, seconds=1)
    assert loop.step(fence) is Round.IDLE
    assert waiting() == set()


def test_without_gaps_it_looks_every_three_seconds(loop, gap_source, clock, fence):
    for clock.now in range(30):
        assert loop.step(fence) is Round.IDLE
    assert len(gap_source.limits) == 10


def test_what_never_counts_is_sent_less_and_less_often(loop, gap_source, clock, fence, patients):
    gap_source.has_gap(patients[0].pk)
    sent_at = []
    for clock.now in range(0, 4 * 3_600, 3):
        if loop.step(fence) is Round.DONE:
            sent_at.append(clock.now)
            deliver_all()
    assert sent_at == [0, 30, 90, 210, 450, 930, 1_890, 3_810, 7_410, 11_010], (
        "the wait doubles up to an hour"
    )


def test_a_patient_that_waits_does_not_hold_up_another(loop, gap_source, clock, fence, patients):
    gap_source.has_gap(patients[0].pk)
    loop.step(fence)
    deliver_all()
    gap_source.has_gap(patients[1].pk)
    clock.now = 3
    loop.step(fence)
    assert waiting() == events_of(patients[1])


def test_patients_that_wait_leave_room_for_others_in_the_answer(
    loop, gap_source, clock, fence, patients
):
    for _ in range(500):
        gap_source.has_gap(uuid4())
    gap_source.has_gap(patients[0].pk)
    loop.step(fence)
    clock.now = 3
    loop.step(fence)
    assert gap_source.limits == [500, 1_000]
    assert waiting() == events_of(patients[0])


def test_a_gap_that_opens_anew_is_filled_at_once(loop, gap_source, clock, fence, patients):
    gap_source.has_gap(patients[0].pk)
    loop.step(fence)
    deliver_all()
    gap_source.answer.clear()
    clock.now = 3
    loop.step(fence)
    gap_source.has_gap(patients[0].pk)
    clock.now = 6
    assert loop.step(fence) is Round.DONE


@pytest.mark.parametrize("error", [httpx.ConnectError("no"), ValueError(), KeyError("gaps")])
def test_while_analytics_does_not_answer_it_says_so(loop, gap_source, clock, fence, error):
    gap_source.error = error
    assert loop.step(fence) is Round.AWAY
    clock.now = 1
    assert loop.step(fence) is Round.AWAY
    gap_source.error = None
    clock.now = 3
    assert loop.step(fence) is Round.IDLE


def test_a_relay_that_no_longer_leads_puts_nothing_back(loop, gap_source, fence, patients):
    gap_source.has_gap(patients[0].pk)
    with pytest.raises(LeaseLost):
        loop.step(fence - 1)
    assert waiting() == set()


@pytest.fixture
def web_server():
    """A web server that answers as the contract says."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self):
            self.server.asked.append(self.path)
            gap = {
                "patientId": str(UUID(int=7)),
                "version": 3,
                "counted": 2,
                "since": "2026-04-05T08:30:00+00:00",
            }
            body = json.dumps({"total": 1, "gaps": [gap]}).encode()
            self.send_response(self.server.status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    server.asked, server.status = [], 200
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_the_client_follows_the_contract(web_server):
    client = GapsClient(f"http://127.0.0.1:{web_server.server_port}")
    [gap] = client.gaps(20)
    assert (gap.patient_id, gap.since.isoformat()) == (UUID(int=7), "2026-04-05T08:30:00+00:00")
    assert web_server.asked == ["/gaps?limit=20"]
    web_server.status = 503
    with pytest.raises(httpx.HTTPError):
        client.gaps(20)
    client.close()
