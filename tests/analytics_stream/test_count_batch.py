"""The rules of `folding`, kept by PostgreSQL."""

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import make_url

from analytics_stream.figures import draw_figures
from analytics_stream.store import Refused, Store, StoreAway
from tests.analytics_stream.database import address, away, drop_connections, figures_in, tell, wipe
from tests.analytics_stream.memory import MemoryStore
from tests.analytics_stream.messages import NOON, deliveries, event, stories

FEW = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@FEW
@given(st.data())
def test_any_order_repetition_and_batching_is_counted_as_the_rules_say(database, store, data):
    """Red when SQL lets an older version win, forgets version 1's time, or counts a repeated event."""
    wipe(database)
    story = data.draw(stories())
    model = MemoryStore()
    model.count(story)
    for batch in data.draw(deliveries(story)):
        store.count(batch)
    assert figures_in(database) == model.figures()


def test_a_batch_tells_how_many_events_were_new(store):
    assert store.count([event(1), event(2, number=2), event(1)]) == 2
    assert store.count([event(2, number=2), event(3, number=3)]) == 1
    assert store.count([event(1), event(2, number=2)]) == 0


def test_a_patient_who_comes_three_times_in_one_batch_is_counted_once(database, store):
    story = [event(1), event(2, version=2, region="Utah"), event(3, version=3, region="Iowa", status="archived")]
    store.count([story[2], story[0], story[1], story[0]])
    figures = figures_in(database)
    assert (figures["status", "archived"], figures["events", ""]) == (1, 3)
    assert not [name for name, _ in figures if name == "region"]


def test_what_is_read_is_what_was_counted(store):
    store.count([event(1), event(2, number=2, region="Utah", sex="male", status="archived")])
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


def test_the_last_event_is_the_latest_that_happened_in_whatever_order_it_came(store):
    for number, minutes in enumerate([5, 9, 1], start=1):
        store.count([event(number, number=number, at=NOON + timedelta(minutes=minutes))])
    assert store.read(now=NOON, today=NOON.date()).last_event_at == NOON + timedelta(minutes=9)


def test_a_new_database_has_no_last_event(store):
    assert store.read(now=NOON, today=NOON.date()).last_event_at is None


def test_several_workers_with_the_same_events_count_each_once_and_do_not_block_each_other(database):
    """Red when rows are locked in no fixed order (deadlock), or a patient's old state is read before it is locked."""
    changing = random.Random(20260405)
    story = [
        event(number * 5 + version, number=number, version=version, region=changing.choice(["Ohio", "Utah", "Iowa"]))
        for number in range(1, 121)
        for version in range(1, 6)
    ]
    model = MemoryStore()
    model.count(story)

    def work(worker):
        shuffled, store = random.Random(worker), Store(database)
        mine = story + story
        shuffled.shuffle(mine)
        fresh = sum(store.count(mine[first : first + 90]) for first in range(0, len(mine), 90))
        store.close()
        return fresh

    with ThreadPoolExecutor(4) as workers:
        assert sum(workers.map(work, range(4))) == len(story)
    assert figures_in(database) == model.figures()


def test_a_database_that_is_wiped_and_fed_again_gives_identical_figures(database, store):
    story = [event(n, number=n % 7 + 1, version=n // 7 + 1, region=f"R{n % 3}") for n in range(1, 60)]
    for event_ in story:
        store.count([event_])
    first = figures_in(database)
    wipe(database)
    store.count(list(reversed(story)))
    assert figures_in(database) == first


def test_events_that_the_database_refuses_are_told_from_a_database_that_is_away(database, store):
    too_large = event(1)._replace(state=event(1).state._replace(birth_year=2**40))
    with pytest.raises(Refused):
        store.count([event(2, number=2), too_large])
    assert figures_in(database) == {}
    with away(database), pytest.raises(StoreAway):
        store.count([event(2, number=2)])
    with away(database), pytest.raises(StoreAway):
        store.read(now=NOON, today=NOON.date())
    assert store.count([event(2, number=2)]) == 1


def test_a_database_without_its_tables_is_away_for_now(database, store):
    tell(database, "ALTER TABLE figure RENAME TO figure_of_yesterday")
    with pytest.raises(StoreAway):
        store.count([event(1)])
    tell(database, "ALTER TABLE figure_of_yesterday RENAME TO figure")
    assert store.count([event(1)]) == 1


def test_lost_connections_are_made_again(database, store):
    store.count([event(1)])
    drop_connections(database)
    assert store.count([event(2, number=2)]) == 1


def test_errors_repeat_neither_values_nor_the_password(database):
    closed = make_url(address(database)).set(drivername="postgresql+psycopg2", password="not-the-password")
    with pytest.raises(StoreAway) as away_:
        Store(closed.set(host="127.0.0.1", port=1).difference_update_query(["host"])).count([event(1)])
    assert str(away_.value) == "OperationalError"
