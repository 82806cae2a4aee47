"""A worker as a process, with broker, database and HTTP. Each test has its own patients."""

import json

import pytest

from embedded.kafka import kafka
from tests.analytics_stream.database import database_away, execute, new_database
from tests.analytics_stream.histories import make_history, send_events
from tests.analytics_stream.messages import make_message
from tests.analytics_stream.worker_process import read_dead_letters, run_worker, send_messages
from tests.waits import wait_for

PERSONAL = ("Jane", "Public", "jane@example.org")


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    with kafka(tmp_path_factory.mktemp("kafka")) as server:
        yield server.address


@pytest.fixture(scope="module")
def url():
    with new_database() as url:
        yield url


@pytest.fixture(scope="module")
def worker(url, broker, tmp_path_factory):
    with run_worker(url, broker, tmp_path_factory.mktemp("worker"), LOG_LEVEL="DEBUG") as worker:
        worker.wait_until_joined()
        yield worker


def test_events_become_figures(worker, broker):
    send_events(broker, make_history(30, versions=2, first=1000, region="Riverside"))
    figures = wait_for(lambda: worker.figures_with("Riverside", 30))
    assert figures["totals"]["active"] >= 30
    assert figures["lastEventAt"] == "2026-04-05T12:00:00.000Z"


def test_the_lag_returns_to_0(worker, broker):
    send_events(broker, make_history(5, first=2000, region="Lagos"))
    wait_for(lambda: worker.figures_with("Lagos", 5))
    wait_for(lambda: worker.figures()["lagSeconds"] == 0)


def test_a_message_that_is_no_event_goes_to_the_dead_letter_topic(worker, broker):
    broken = {
        3000: (b"\xff\xfe broken", b"the value is not a PatientEvent"),
        3001: (make_message(0, number=3001), b"event_id is missing"),
        3002: (
            make_message(3002, status="asleep"),
            b"status is none of active, archived, merged and deleted",
        ),
        3003: (None, b"the message has no value"),
    }
    send_events(broker, make_history(5, first=3010, region="Utica"))
    send_messages(broker, *((number, value) for number, (value, _) in broken.items()))
    send_events(broker, make_history(5, first=3020, region="Utica"))
    letters = read_dead_letters(broker, broken)
    for number, (value, reason) in broken.items():
        headers = dict(letters[number].headers())
        assert (letters[number].value(), headers["reason"], headers["original_topic"]) == (
            value,
            reason,
            b"patient",
        )
        assert headers["original_partition"].isdigit()
        assert headers["original_offset"].isdigit()
    wait_for(lambda: worker.figures_with("Utica", 10))


def test_a_letter_that_is_too_large_goes_without_its_value(worker, broker):
    """Red when it is tried until the process ends, and again after each start: counting stops."""
    send_messages(broker, (3500, b"\xff" * 1_000_500))
    send_events(broker, make_history(5, first=3510, region="Ulm"))
    wait_for(lambda: worker.figures_with("Ulm", 5))
    letter = read_dead_letters(broker, [3500])[3500]
    headers = dict(letter.headers())
    assert (letter.value(), headers["value_left_out"]) == (None, b"1000500")
    assert headers["reason"] == b"the value is not a PatientEvent"


def test_it_goes_on_when_the_database_comes_back(worker, broker, url):
    with database_away(url):
        send_events(broker, make_history(20, first=4000, region="Atlantis"))
        wait_for(lambda: worker.lines("The database is away; the batch waits for it."))
        assert worker.get("/health/ready")[0] == 503
        assert worker.get("/figures")[0] == 503
        assert worker.get("/health/live")[0] == 200
    wait_for(lambda: worker.figures_with("Atlantis", 20))


def test_neither_the_log_nor_the_database_names_a_person(worker, broker, url):
    send_events(broker, make_history(5, first=5000, region="Nowhere"))
    wait_for(lambda: worker.figures_with("Nowhere", 5))
    assert all(json.loads(line) for line in worker.text().splitlines())
    written = (
        worker.text()
        + str(execute(url, "SELECT * FROM patient_state"))
        + str(execute(url, "SELECT * FROM figure"))
    )
    assert not [word for word in PERSONAL if word in written]


def test_it_ends_when_it_is_asked_to(worker):
    """This is the last test, because it ends the worker of this module."""
    assert worker.end() == 0
    assert "Traceback" not in worker.text()
