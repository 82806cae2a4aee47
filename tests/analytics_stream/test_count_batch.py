"""PostgreSQL counts by the rules of `folding`."""

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import make_url

from analytics_stream.database import Refused, StoreAway
from analytics_stream.figures import draw_figures
from analytics_stream.store import Store
from tests.analytics_stream.database import (
    address,
    count_waiting,
    database_away,
    drop_connections,
    execute,
    hold_locks,
    read_figures,
    read_states,
    wipe,
)
from tests.analytics_stream.memory_store import MemoryStore
from tests.analytics_stream.messages import NOON, deliveries, histories, make_event, patient_id
from tests.waits import wait_for

FEW = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@FEW
@given(st.data())
def test_any_order_repetition_and_batching_is_counted_as_the_rules_say(database, store, data):
    """Red when SQL lets an older version win, forgets version 1's time, or counts twice."""
    wipe(database)
    events = data.draw(histories())
    model = MemoryStore()
    model.count(events)
    for batch in data.draw(deliveries(events)):
        store.count(batch)
    assert read_figures(database) == model.figures()
    assert read_states(database) == model.states


def test_a_batch_returns_how_many_events_were_new(store):
    assert store.count([make_event(1), make_event(2, number=2), make_event(1)]) == 2
    assert store.count([make_event(2, number=2), make_event(3, number=3)]) == 1
    assert store.count([make_event(1), make_event(2, number=2)]) == 0


def test_a_patient_who_comes_three_times_in_one_batch_is_counted_once(database, store):
    events = [
        make_event(1),
        make_event(2, version=2, region="Utah"),
        make_event(3, version=3, region="Iowa", status="archived"),
    ]
    store.count([events[2], events[0], events[1], events[0]])
    figures = read_figures(database)
    assert (figures["status", "archived"], figures["events", ""]) == (1, 3)
    assert not [name for name, _ in figures if name == "region"]


@pytest.mark.parametrize(
    "word", ['"', "\\", '\\"', "{a,b}", "NULL", "null", "a, b", "'; --", "%s :x", "Ôhìo\t", "' '"]
)
def test_a_word_is_counted_as_it_was_sent(database, store, word):
    """Red when a word is not quoted, or its quotes or backslashes are not escaped."""
    event = make_event(1, region=f"{word}.", registered_through=word)
    assert store.count([event, make_event(2, number=2)]) == 2
    figures = read_figures(database)
    assert figures["region", f"{word}."] == figures["source", event.state.registered_through] == 1
    assert read_states(database)[patient_id(1)] == event.state
    changed = make_event(3, version=2, region="Utah", registered_through=word)
    assert store.count([event, changed]) == 1
    assert ("region", f"{word}.") not in read_figures(database)


def test_what_is_read_is_what_was_counted(store):
    store.count(
        [make_event(1), make_event(2, number=2, region="Utah", sex="male", status="archived")]
    )
    reading = store.read(now=NOON + timedelta(minutes=5), today=NOON.date())
    figures = draw_figures(reading.counts, now=NOON + timedelta(minutes=5), today=NOON.date())
    assert figures["totals"] == {
        "active": 1,
        "archived": 1,
        "merged": 0,
        "registeredToday": 2,
        "registered7Days": 2,
        "registered30Days": 2,
        "events": 2,
    }
    assert figures["eventsByMinute"][-6] == {"at": "2026-04-05T12:00:00Z", "count": 2}
    assert (figures["byRegion"], figures["bySource"]) == ({"Ohio": 1}, {"portal": 1})
    assert reading.last_event_at == NOON


@pytest.mark.parametrize(
    ("zone", "days"),
    [
        ("UTC", {"2026-04-04": 2, "2026-04-05": 3}),
        ("Asia/Kolkata", {"2026-04-04": 1, "2026-04-05": 4}),
    ],
)
def test_changes_are_read_by_minute_hour_and_day_of_the_clinic(store, zone, days):
    """Red when a day is taken to begin with a full hour of UTC: in Kolkata it begins at 18:30."""
    times = ["04-04T18:29", "04-04T18:30", "04-05T11:59", "04-05T12:00", "04-05T12:00"]
    store.count(
        [
            make_event(n, number=n, at=datetime.fromisoformat(f"2026-{at}Z"))
            for n, at in enumerate(times, start=1)
        ]
    )
    now = (NOON + timedelta(minutes=5)).astimezone(ZoneInfo(zone))
    figures = draw_figures(store.read(now=now, today=now.date()).counts, now=now, today=now.date())
    counts = {
        name: {
            point.get("day") or point["at"][8:16]: point["count"]
            for point in series
            if point["count"]
        }
        for name, series in figures.items()
        if isinstance(series, list)
    }
    assert counts["eventsByDay"] == days
    assert counts["eventsByHour"] == {"04T18:00": 2, "05T11:00": 1, "05T12:00": 2}
    assert counts["registrationsByMinute"] == {"05T11:59": 1, "05T12:00": 2}


def test_the_last_event_is_the_latest_in_any_order_of_arrival(store):
    for number, minutes in enumerate([5, 9, 1], start=1):
        store.count([make_event(number, number=number, at=NOON + timedelta(minutes=minutes))])
    assert store.read(now=NOON, today=NOON.date()).last_event_at == NOON + timedelta(minutes=9)


def test_a_new_database_has_no_last_event(store):
    assert store.read(now=NOON, today=NOON.date()).last_event_at is None


def test_several_workers_with_the_same_events_count_each_once(database):
    """Red when events are inserted in no fixed order (deadlock), or counted by each worker."""
    events = many_changes(patients=120, versions=5)
    shares = [random.Random(worker).sample(events * 2, len(events) * 2) for worker in range(4)]
    assert sum(work_at_once(database, shares)) == len(events)
    assert_counted(database, events)


def test_two_workers_with_the_same_patients_do_not_block_each_other(database, store):
    """Red when patients are locked in no fixed order: each worker then waits for the other."""
    store.count([make_event(number, number=number) for number in (1, 2, 3)])
    upwards = [make_event(10 + number, number=number, version=2) for number in (1, 2, 3)]
    downwards = [make_event(30 - number, number=number, version=3) for number in (3, 2, 1)]
    with ThreadPoolExecutor(2) as workers:
        with hold_locks(
            database, f"SELECT FROM patient_state WHERE patient_id = '{patient_id(2)}' FOR UPDATE"
        ):
            both = [workers.submit(store.count, batch) for batch in (upwards, downwards)]
            wait_for(lambda: count_waiting(database) == 2)
        assert [worker.result() for worker in both] == [3, 3]
    assert {state.version for state in read_states(database).values()} == {3}


def many_changes(*, patients, versions):
    regions = random.Random(20260405)
    steps = [
        (number, version) for number in range(1, patients + 1) for version in range(1, versions + 1)
    ]
    return [
        make_event(event_id, number=number, version=version, region=f"R{regions.randrange(40)}")
        for event_id, (number, version) in enumerate(steps, start=1)
    ]


def work_at_once(database, shares):
    """Counts each share with its own worker, 50 events at a time.

    Returns how many events each worker found new.
    """

    def work(share):
        store = Store(database)
        fresh = sum(store.count(share[first : first + 50]) for first in range(0, len(share), 50))
        store.close()
        return fresh

    with ThreadPoolExecutor(len(shares)) as workers:
        return list(workers.map(work, shares))


def assert_counted(database, events):
    model = MemoryStore()
    model.count(events)
    assert read_figures(database) == model.figures()
    assert read_states(database) == model.states


def test_a_database_that_is_wiped_and_fed_again_gives_identical_figures(database, store):
    events = [
        make_event(n, number=n % 7 + 1, version=n // 7 + 1, region=f"R{n % 3}")
        for n in range(1, 60)
    ]
    for event in events:
        store.count([event])
    first = read_figures(database)
    wipe(database)
    store.count(list(reversed(events)))
    assert read_figures(database) == first


def test_refused_events_differ_from_a_database_that_is_away(database, store):
    too_large = make_event(1)._replace(state=make_event(1).state._replace(birth_year=2**40))
    with pytest.raises(Refused):
        store.count([make_event(2, number=2), too_large])
    assert read_figures(database) == {}
    with database_away(database), pytest.raises(StoreAway):
        store.count([make_event(2, number=2)])
    with database_away(database), pytest.raises(StoreAway):
        store.read(now=NOON, today=NOON.date())
    assert store.count([make_event(2, number=2)]) == 1


def test_a_database_without_its_tables_is_away_for_now(database, store):
    execute(database, "ALTER TABLE figure RENAME TO figure_of_yesterday")
    with pytest.raises(StoreAway):
        store.count([make_event(1)])
    execute(database, "ALTER TABLE figure_of_yesterday RENAME TO figure")
    assert store.count([make_event(1)]) == 1


def test_lost_connections_are_made_again(database, store):
    store.count([make_event(1)])
    drop_connections(database)
    assert store.count([make_event(2, number=2)]) == 1


def test_errors_repeat_neither_values_nor_the_password(database):
    closed = make_url(address(database)).set(
        drivername="postgresql+psycopg2", password="not-the-password"
    )
    with pytest.raises(StoreAway) as error:
        Store(closed.set(host="127.0.0.1", port=1).difference_update_query(["host"])).count(
            [make_event(1)]
        )
    assert str(error.value) == "OperationalError"
