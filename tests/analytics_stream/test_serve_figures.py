import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from threading import Event
from zoneinfo import ZoneInfo

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from analytics_stream.progress import PartitionProgress, Progress
from analytics_stream.views import Views
from tests.analytics_stream.database import database_away, execute
from tests.analytics_stream.messages import NOON, make_event


@pytest.fixture
def ask(store):
    """Sends requests one after the other and returns status, headers and body of each."""

    def ask(*requests, progress=None):
        return asyncio.run(answers(store, progress or Progress(), requests))

    return ask


async def answers(store, progress, requests, zone="UTC"):
    async with served(store, progress, zone) as client:
        found = []
        for method, path, headers in requests:
            async with client.request(method, path, headers=headers) as answer:
                json = answer.content_type.endswith("json")
                found.append(
                    (
                        answer.status,
                        answer.headers,
                        await (answer.json() if json else answer.text()),
                    )
                )
        return found


@asynccontextmanager
async def served(store, progress, zone):
    with ThreadPoolExecutor(1) as reader:
        app = web.Application()
        Views(store, progress, reader, ZoneInfo(zone)).add_routes(app)
        async with TestClient(TestServer(app)) as client:
            yield client


@pytest.fixture
def _at_noon(monkeypatch):
    """Stops the clock, because a new minute changes the figures and so the tag."""

    class Noon(datetime):
        @classmethod
        def now(cls, tz=None):
            return NOON

    monkeypatch.setattr("analytics_stream.views.datetime", Noon)


def get(path, **headers):
    return "GET", path, {name.replace("_", "-"): value for name, value in headers.items()}


def caught_up():
    progress = Progress()
    progress.join()
    progress.update({0: PartitionProgress(4, 4, datetime.now(UTC).timestamp())})
    return progress


def test_the_figures_are_json_with_their_time_and_lag(ask, store):
    store.count([make_event(1)])
    [(status, headers, figures)] = ask(get("/figures"), progress=caught_up())
    assert (status, headers["Content-Type"], headers["Cache-Control"]) == (
        200,
        "application/json; charset=utf-8",
        "no-cache",
    )
    assert (figures["totals"]["events"], figures["lagSeconds"]) == (1, 0.0)
    assert figures["lastEventAt"] == "2026-04-05T12:00:00.000Z"
    assert abs(datetime.fromisoformat(figures["asOf"]) - datetime.now(UTC)).total_seconds() < 60


def test_a_new_database_has_figures_too(ask):
    [(status, _, figures)] = ask(get("/figures"))
    assert (status, figures["totals"]["events"], figures["lastEventAt"]) == (200, 0, None)


@pytest.mark.usefixtures("_at_noon")
def test_a_reader_who_has_the_figures_gets_304_until_one_changes(ask, store):
    store.count([make_event(1)])
    [(_, headers, _)] = ask(get("/figures"), progress=caught_up())
    [(again, _, body)] = ask(get("/figures", If_None_Match=headers["ETag"]), progress=caught_up())
    assert (again, body) == (304, "")
    store.count([make_event(2, number=2)])
    [(changed, _, _)] = ask(get("/figures", If_None_Match=headers["ETag"]), progress=caught_up())
    assert changed == 200


@pytest.mark.usefixtures("_at_noon")
@pytest.mark.parametrize("named", ['"other", {}', "*"])
def test_a_tag_is_found_among_several(ask, named):
    [(_, headers, _)] = ask(get("/figures"), progress=caught_up())
    named = named.replace("{}", headers["ETag"])
    assert ask(get("/figures", If_None_Match=named), progress=caught_up())[0][0] == 304


def test_without_its_database_it_says_so_and_lives(ask, database):
    with database_away(database):
        figures, ready, live = ask(
            get("/figures"), get("/health/ready"), get("/health/live"), progress=caught_up()
        )
    assert (figures[0], figures[1]["Content-Type"]) == (
        503,
        "application/problem+json; charset=utf-8",
    )
    assert figures[2]["title"] == "The figures' database is away. Try again."
    assert (ready[0], ready[2]["database"]) == (503, "away")
    assert live[0] == 200


def test_it_is_ready_once_it_has_joined_the_group(ask):
    [(before, _, _)] = ask(get("/health/ready"))
    [(after, _, body)] = ask(get("/health/ready"), progress=caught_up())
    assert (before, after) == (503, 200)
    assert body == {
        "ready": True,
        "database": "up",
        "consumer": "joined",
        "caughtUp": True,
        "lagSeconds": 0.0,
        "messagesBehind": 0,
        "gaps": 0,
    }


def test_a_missing_event_shows_in_the_health_and_in_the_metrics(ask, store, database):
    store.count([make_event(1), make_event(3, version=3), make_event(4, number=2)])
    execute(database, "UPDATE patient_state SET gap_since = gap_since - interval '1 minute'")
    [(status, _, health), (_, _, metrics)] = ask(
        get("/health/ready"), get("/metrics"), progress=caught_up()
    )
    assert (status, health["gaps"]) == (200, 1)
    assert "\nanalytics_gaps 1.0\n" in metrics


def test_a_database_that_never_answers_is_away(monkeypatch):
    monkeypatch.setattr("analytics_stream.views.READ_SECONDS", 0.1)
    over = Event()

    class Silent:
        def read(self, **_):
            over.wait(60)

    async def ask():
        async with served(Silent(), caught_up(), "UTC") as client:
            found = [
                (await client.get(path)).status
                for path in ("/figures", "/health/ready", "/metrics")
            ]
            over.set()
            return found

    assert asyncio.run(ask()) == [503, 503, 200]


def test_metrics_tell_what_was_counted(ask):
    [(status, headers, text)] = ask(get("/metrics"))
    assert (status, headers["Content-Type"].partition(";")[0]) == (200, "text/plain")
    counted = [
        "analytics_events_folded_total",
        "analytics_events_duplicate_total",
        "analytics_dead_letters_total",
    ]
    assert all(
        f"\n{name} " in text
        for name in [*counted, "analytics_lag_seconds", "analytics_messages_behind"]
    )


def test_days_are_those_of_the_clinic(store):
    far_east, far_west = (
        asyncio.run(answers(store, Progress(), [get("/figures")], zone))[0][2][
            "registrationsByDay"
        ][-1]["day"]
        for zone in ("Pacific/Kiritimati", "Pacific/Niue")
    )
    assert far_east > far_west  # 25 hours lie between their clocks.


def test_nothing_else_is_served(ask):
    paths = ("/", "/router", "/table", "/graph", "/stats", "/figures/", "/admin")
    assert {status for status, _, _ in ask(*map(get, paths))} == {404}
    assert ask(("POST", "/figures", {}))[0][0] == 405
