"""Health and metrics: open on the internal port only; they show what is behind."""

import pytest
from django.db import OperationalError

from portal import health
from portal.events.models import QuarantinedEvent
from portal.patients.models import Patient

INTERNAL = {"SERVER_PORT": "4003"}
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_earlier_answers():
    health.checks.expire()


@pytest.mark.parametrize("route", ["/health/live", "/health/ready", "/metrics"])
def test_internal_routes_are_not_there_on_the_public_port(client, route):
    assert client.get(route).status_code == 404
    assert client.get(route, headers={"Host": "localhost:4003"}).status_code == 404
    assert client.get(route, **INTERNAL).status_code == 200


def test_public_routes_are_not_there_on_the_internal_port(client):
    assert client.get("/sign-in/", **INTERNAL).status_code == 404


def test_with_the_neighbours_away_it_is_degraded_not_unready(client):
    answer = client.get("/health/ready", **INTERNAL)
    body = answer.json()
    state = {check["name"]: check["ok"] for check in body["checks"]}
    assert (answer.status_code, body["status"]) == (200, "degraded")
    assert state == {
        "database": True,
        "relay": False,
        "events": True,
        "billing": True,
        "analytics": False,
        "worker queue": True,
        "worker": False,
        "scheduler": False,
        "disk": True,
        "reconciliation": True,
        "topic": True,
        "records": True,
    }


def test_metrics_count_what_waits_and_name_nobody(client):
    Patient.objects.create(family_name="Unmistakable")
    text = client.get("/metrics", **INTERNAL).content.decode()
    assert "portal_outbox_events 1.0" in text
    assert 'portal_billing_accounts{status="pending"} 1.0' in text
    assert "Unmistakable" not in text


def test_metrics_show_for_each_check_whether_it_keeps_up(client):
    checks = client.get("/health/ready", **INTERNAL).json()["checks"]
    lines = client.get("/metrics", **INTERNAL).content.decode().splitlines()
    expected = {
        f'portal_check_ok{{check="{check["name"]}"}} {float(check["ok"])}'
        for check in checks
        if check["name"] != "database"
    }
    assert expected <= set(lines)
    assert {line.rpartition(" ")[2] for line in expected} == {"0.0", "1.0"}


def test_without_the_database_it_is_unready(client, monkeypatch):
    def away():
        raise OperationalError

    monkeypatch.setattr(health, "check_database", away)
    answer = client.get("/health/ready", **INTERNAL)
    assert (answer.status_code, answer.json()["status"]) == (503, "unready")


def test_a_quarantined_event_makes_events_behind(client):
    QuarantinedEvent.objects.create(event_id=7, reason="ValueError")
    checks = client.get("/health/ready", **INTERNAL).json()["checks"]
    [events] = [check for check in checks if check["name"] == "events"]
    assert (events["ok"], events["quarantined"]) == (False, 1)
