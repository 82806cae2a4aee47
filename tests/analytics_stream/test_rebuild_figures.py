"""A database that was emptied is filled again from the topic, to the same figures byte for byte."""

import json
from contextlib import ExitStack

import pytest

from analytics_stream.figures import draw_figures
from analytics_stream.schema import migrate
from analytics_stream.shutdown import EXIT_RESTART
from analytics_stream.store import Store
from embedded.kafka import kafka
from tests.analytics_stream.database import execute, read_figures, wipe
from tests.analytics_stream.histories import expected_figures, make_history, send_events
from tests.analytics_stream.messages import NOON
from tests.analytics_stream.worker_process import run_worker

FACTS = [
    {
        **fact,
        "sex": ("female", "male")[fact["number"] % 2],
        "status": ("active", "archived")[fact["number"] % 5 == 0],
    }
    for fact in make_history(300, versions=4)
]


def served_figures(url):
    """Returns the figures at a fixed moment, as the bytes that are served."""
    store = Store(url)
    snapshot = store.read(now=NOON, today=NOON.date())
    store.close()
    figures = draw_figures(snapshot.counts, now=NOON, today=NOON.date())
    return json.dumps({**figures, "lastEventAt": snapshot.last_event_at.isoformat()}).encode()


def drop_and_migrate(url):
    execute(url, "DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    migrate(url)


@pytest.fixture
def broker(tmp_path):
    with kafka(tmp_path / "kafka") as server:
        yield server.address


@pytest.fixture
def start(database, broker, tmp_path):
    """Starts a worker and waits until it has counted everything."""
    with ExitStack() as workers:

        def start(*, events):
            worker = workers.enter_context(run_worker(database, broker, tmp_path))
            worker.wait_for_events(events)
            worker.wait_until_caught_up()
            return worker

        yield start


def test_after_a_wipe_while_it_was_stopped_and_then_reads_nothing_again(database, broker, start):
    """Red when a worker uses only the offsets of its group: the database then stays empty."""
    send_events(broker, FACTS)
    worker = start(events=len(FACTS))
    before = served_figures(database)
    assert worker.end() == 0
    execute(database, "DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    migrate(database)
    assert start(events=len(FACTS)).end() == 0
    assert served_figures(database) == before
    assert read_figures(database) == expected_figures(FACTS)
    worker = start(events=len(FACTS))
    assert "analytics_events_duplicate_total 0.0" in worker.metrics()


def test_after_a_wipe_while_it_runs_and_nothing_comes(database, broker, start):
    send_events(broker, FACTS)
    worker = start(events=len(FACTS))
    before = served_figures(database)
    wipe(database)
    assert worker.popen.wait(60) == EXIT_RESTART
    assert worker.lines("The database lost what was counted before. It is counted again.")
    start(events=len(FACTS))
    assert served_figures(database) == before
