"""The routes with which the portal checks and repairs the counts."""

import asyncio
import csv
import io
import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analytics_stream import state_export
from analytics_stream.audit import audit, recount
from analytics_stream.audit_api import AuditViews
from analytics_stream.state_export import StateExport
from tests.analytics_stream.database import (
    count_waiting,
    database_away,
    execute,
    hold_locks,
    read_figures,
    read_states,
    wipe,
)
from tests.analytics_stream.messages import NOON, deliveries, histories, make_event, patient_id
from tests.waits import wait_for

FEW = settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
HEADER = "patient_id,version,event_id,status,counted"


@pytest.fixture
def ask(store):
    """Sends one request and returns status and text."""

    async def answer(method, path, json):
        app = web.Application()
        with ThreadPoolExecutor(2) as auditor:
            AuditViews(store.engine, auditor).add_routes(app)
            async with (
                TestClient(TestServer(app)) as client,
                client.request(method, path, json=json) as answer,
            ):
                return answer.status, await answer.text()

    return lambda path, json=None: asyncio.run(
        answer("GET" if json is None else "POST", path, json)
    )


@pytest.fixture(autouse=True)
def _every_gap_is_old_enough(monkeypatch):
    monkeypatch.setattr(state_export, "GAP_SECONDS", 0)


def make_old(database):
    execute(database, "UPDATE patient_state SET gap_since = gap_since - interval '1 day'")


def row(number, version, event_id, status, counted):
    return f"{patient_id(number)},{version},{event_id},{status},{counted}"


def test_states_are_lines_in_the_order_of_patients_with_an_end(ask, store):
    store.count(
        [
            make_event(5, number=300),
            make_event(6, number=2, status="archived"),
            make_event(7, number=2, version=2),
        ]
    )
    status, text = ask("/states")
    assert (status, text.splitlines()) == (
        200,
        [HEADER, row(2, 2, 7, "active", 2), row(300, 1, 5, "active", 1), "end,2"],
    )


def test_states_of_chosen_patients_leave_out_all_others(ask, store):
    store.count([make_event(number, number=number) for number in (1, 2, 3)])
    _, text = ask("/states", {"patients": [patient_id(3), patient_id(77), patient_id(1)]})
    assert text.splitlines() == [
        HEADER,
        row(1, 1, 1, "active", 1),
        row(3, 1, 3, "active", 1),
        "end,2",
    ]


def test_without_patients_the_states_are_a_header_and_an_end(ask):
    assert ask("/states") == ask("/states", {"patients": []}) == (200, f"{HEADER}\nend,0\n")


def test_many_states_come_in_chunks(store, database):
    """Red when the whole answer is gathered before it is sent."""
    store.count([make_event(number, number=number) for number in range(1, 4001)])
    chunks = []
    StateExport(store.engine).write_states(chunks.append)
    assert max(map(len, chunks)) < 2 * state_export.CHUNK_BYTES < sum(map(len, chunks))
    assert len(list(csv.reader(io.StringIO(b"".join(chunks).decode())))) == 4002


def test_a_reader_that_goes_away_leaves_the_database_usable(store):
    def refuse(chunk):
        raise ConnectionResetError

    store.count([make_event(number, number=number) for number in range(1, 3001)])
    with pytest.raises(ConnectionResetError):
        StateExport(store.engine).write_states(refuse)
    assert store.count([make_event(9001, number=9001)]) == 1


def test_a_repeated_event_is_counted_once_for_its_patient(ask, store):
    store.count([make_event(1), make_event(1), make_event(2, version=2)])
    store.count([make_event(2, version=2)])
    assert row(1, 2, 2, "active", 2) in ask("/states")[1]


def test_one_event_number_with_two_patients_counts_for_both(ask, store):
    """This happens after a portal went back to an older backup."""
    assert store.count([make_event(1, number=1), make_event(1, number=2)]) == 2
    assert store.count([make_event(1, number=2)]) == 0


def test_a_patient_with_an_event_missing_is_a_gap_until_it_is_counted(ask, store):
    store.count([make_event(1), make_event(3, version=3), make_event(4, number=2)])
    [gap] = json.loads(ask("/gaps")[1])["gaps"]
    assert (gap["patientId"], gap["version"], gap["counted"]) == (patient_id(1), 3, 2)
    assert gap["since"].endswith("Z")
    store.count([make_event(2, version=2)])
    assert json.loads(ask("/gaps")[1]) == {"total": 0, "gaps": []}


def test_a_gap_keeps_its_first_moment_and_the_oldest_come_first(ask, store, database):
    store.count([make_event(2, version=2, number=2)])
    make_old(database)
    store.count([make_event(1, version=2, number=1), make_event(4, version=4, number=2)])
    answer = json.loads(ask("/gaps?limit=1")[1])
    assert answer["total"] == 2
    assert [(gap["patientId"], gap["version"], gap["counted"]) for gap in answer["gaps"]] == [
        (patient_id(2), 4, 2)
    ]


def test_a_young_gap_is_left_out(ask, store, monkeypatch):
    monkeypatch.setattr(state_export, "GAP_SECONDS", 3600)
    store.count([make_event(2, version=2)])
    assert json.loads(ask("/gaps")[1])["total"] == 0


@FEW
@given(st.data())
def test_an_audit_finds_nothing_after_any_deliveries(database, store, data):
    """Red when the rules in `folding` and `audit` differ, or when a batch counts wrongly."""
    wipe(database)
    for batch in data.draw(deliveries(data.draw(histories()))):
        store.count(batch)
    finding = audit(store.engine)
    assert finding.differences == []
    assert (finding.events, finding.patients) == (
        sum_counted(database),
        len(read_states(database)),
    )


def sum_counted(database):
    return execute(database, "SELECT coalesce(sum(counted), 0)::bigint FROM patient_state")[0][0]


def test_an_audit_reports_what_differs(ask, store, database):
    store.count([make_event(1), make_event(2, number=2)])
    execute(
        database,
        "UPDATE figure SET count = 5 WHERE name = 'status';"
        "INSERT INTO figure VALUES ('region', 'Atlantis', 1)",
    )
    execute(
        database, "DELETE FROM figure WHERE name = 'sex'; UPDATE last_event SET occurred_at = NULL"
    )
    execute(database, f"UPDATE patient_state SET counted = 9 WHERE patient_id = '{patient_id(2)}'")
    status, text = ask("/audit")
    assert (status, json.loads(text)) == (
        200,
        {
            "events": 2,
            "patients": 2,
            "differences": [
                {
                    "name": "last_event",
                    "bucket": "microseconds since 1970",
                    "stored": 0,
                    "expected": NOON.timestamp() * 1e6,
                },
                {"name": "region", "bucket": "Atlantis", "stored": 1, "expected": 0},
                {"name": "sex", "bucket": "female", "stored": 0, "expected": 2},
                {"name": "status", "bucket": "active", "stored": 5, "expected": 2},
                {"name": "counted", "bucket": patient_id(2), "stored": 9, "expected": 1},
            ],
        },
    )


def test_a_recount_repairs_every_difference(ask, store, database):
    events = [
        make_event(n, number=n % 7 + 1, version=n // 7 + 1, region=f"R{n % 3}")
        for n in range(1, 60)
    ]
    store.count(events)
    figures, states = read_figures(database), read_states(database)
    execute(
        database, "UPDATE figure SET count = count + 1; UPDATE last_event SET occurred_at = NULL"
    )
    execute(database, "UPDATE patient_state SET counted = 0")
    assert (
        json.loads(ask("/recount", {"forget": []})[1])["changed"] == len(figures) + len(states) + 1
    )
    assert (read_figures(database), read_states(database)) == (figures, states)
    assert audit(store.engine).differences == []
    assert json.loads(ask("/recount", {"forget": []})[1]) == {"changed": 0}


def test_a_forgotten_patient_counts_again_when_the_events_come_again(ask, store, database):
    events = [
        make_event(1),
        make_event(2, version=2, region="Utah"),
        make_event(3, number=2, status="archived"),
    ]
    store.count(events)
    before = read_figures(database)
    ask("/recount", {"forget": [patient_id(1), patient_id(77)]})
    assert set(read_states(database)) == {patient_id(2)}
    assert read_figures(database)["events", ""] == 1
    assert store.count(events) == 2
    assert read_figures(database) == before


def test_events_without_a_state_are_forgotten_so_that_they_can_count_again(store, database):
    store.count([make_event(1), make_event(2, number=2)])
    before = read_figures(database)
    execute(database, f"DELETE FROM patient_state WHERE patient_id = '{patient_id(1)}'")
    recount(store.engine)
    assert store.count([make_event(1)]) == 1
    assert read_figures(database) == before


def test_a_recount_waits_for_a_batch_that_is_being_counted(store, database):
    """Red when a recount does not stop the counting: it overwrites what a batch adds meanwhile."""
    store.count([make_event(1)])
    with ThreadPoolExecutor(1) as executor:
        with hold_locks(database, "UPDATE figure SET count = count + 1 WHERE name = 'events'"):
            recounting = executor.submit(recount, store.engine)
            wait_for(lambda: count_waiting(database) == 1)
        assert recounting.result() == 0


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"patients": "all"},
        {"patients": ["Jane"]},
        {"patients": [patient_id(1)] * 1001},
        {"patients": None},
    ],
)
@pytest.mark.parametrize("path", ["/states", "/recount"])
def test_a_body_that_names_no_patients_is_refused(ask, path, body):
    status, text = ask(
        path,
        body if path == "/states" else json.loads(json.dumps(body).replace("patients", "forget")),
    )
    assert status == 400
    assert "patient ids" in json.loads(text)["title"]
    assert "Jane" not in text


@pytest.mark.parametrize("limit", ["0", "-1", "x", "10001", ""])
def test_a_wrong_limit_is_refused(ask, limit):
    assert ask(f"/gaps?limit={limit}")[0] == 400


def test_without_the_database_each_route_says_so(ask, database):
    with database_away(database):
        answers = [ask("/states"), ask("/states", {"patients": []}), ask("/gaps"), ask("/audit")]
        answers.append(ask("/recount", {"forget": []}))
    assert {(status, json.loads(text)["title"]) for status, text in answers} == {
        (503, "The figures' database is away. Try again.")
    }
