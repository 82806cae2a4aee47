"""Figures do not depend on how Kafka delivers the events."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from analytics_stream.folding import add_changes, latest
from tests.analytics_stream.memory_store import MemoryStore
from tests.analytics_stream.messages import NOON, deliveries, histories, make_event

EVENTS_AT_NOON = {("events", ""), ("minute", "2026-04-05T12:00"), ("quarter", "2026-04-05T12:00")}


def count_all(*batches):
    store = MemoryStore()
    for batch in batches:
        store.count(batch)
    return store.figures()


@settings(deadline=None)
@given(st.data())
def test_any_order_repetition_and_batching_gives_the_same_figures(data):
    """Red when the last event read wins over the latest version, or when an event counts again."""
    history = data.draw(histories())
    assert count_all(*data.draw(deliveries(history))) == count_all(history)


@settings(deadline=None)
@given(histories())
def test_the_figures_are_what_a_person_would_count(history):
    counts = Counter()
    last = {}
    for event in history:
        counts["events", ""] += 1
        at = event.occurred_at.isoformat()
        counts["minute", at[:16]] += 1
        counts["quarter", f"{at[:14]}{int(at[14:16]) // 15 * 15:02}"] += 1
        last[event.state.patient_id] = event.state
    firsts = {
        event.state.patient_id: event.occurred_at for event in history if event.state.version == 1
    }
    for patient_id, state in last.items():
        if state.status == "deleted":
            continue
        counts["status", state.status] += 1
        counts["registered_on", str(state.registered_on)] += 1
        if patient_id in firsts:
            counts["registered_at", firsts[patient_id].isoformat()[:13]] += 1
            counts["registered_minute", firsts[patient_id].isoformat()[:16]] += 1
        if state.status == "active":
            counts["sex", state.sex] += 1
            counts["birth_year", f"{state.birth_year:04}"] += 1
            counts["region", state.region] += 1
            counts["source", state.registered_through] += 1
    assert count_all(history) == dict(counts)


@settings(deadline=None)
@given(st.data())
def test_the_winner_of_two_states_is_the_same_from_either_side(data):
    history = [
        event.state for event in data.draw(histories()) if event.state.patient_id.endswith("1")
    ]
    if history:
        first, second = data.draw(st.sampled_from(history)), data.draw(st.sampled_from(history))
        assert latest(first, second) == latest(second, first)
        assert latest(first, latest(first, second)) == latest(first, second)


def test_the_higher_version_wins_whatever_the_numbers_of_the_events():
    earlier, later = (
        make_event(9, version=2, region="Ohio"),
        make_event(3, version=3, region="Utah"),
    )
    assert latest(earlier.state, later.state) == later.state


def test_the_later_of_two_events_with_one_version_wins():
    created, deleted = make_event(1, version=1), make_event(2, version=1, status="deleted")
    assert latest(deleted.state, created.state).status == "deleted"


def test_version_1_that_comes_late_still_gives_the_hour():
    second, first = make_event(2, version=2, region="Utah"), make_event(1, version=1, region="Ohio")
    figures = count_all([second], [first])
    assert figures["registered_at", "2026-04-05T12"] == 1
    assert figures["region", "Utah"] == 1
    assert ("region", "Ohio") not in figures


def test_a_deleted_patient_is_counted_nowhere_but_in_the_events():
    figures = count_all([make_event(1)], [make_event(2, version=2, status="deleted")])
    assert figures == dict.fromkeys(EVENTS_AT_NOON, 2)


def test_a_deleted_patient_stays_deleted_when_an_older_event_comes_late():
    figures = count_all([make_event(2, version=2, status="deleted")], [make_event(1)])
    assert set(figures) == EVENTS_AT_NOON


def test_an_archived_patient_is_still_a_registration():
    figures = count_all([make_event(1)], [make_event(2, version=2, status="archived")])
    assert figures["status", "archived"] == figures["registered_on", NOON.date().isoformat()] == 1
    assert not [name for name, _ in figures if name in ("sex", "birth_year", "region", "source")]


def test_a_restored_patient_is_counted_as_before():
    archived, restored = make_event(2, version=2, status="archived"), make_event(3, version=3)
    first, after = count_all([make_event(1)]), count_all([make_event(1)], [archived], [restored])
    for events in (first, after):
        for place in EVENTS_AT_NOON:
            events.pop(place)
    assert first == after


def test_a_step_to_the_same_state_changes_nothing():
    steps = Counter()
    same = make_event(2, version=2).state._replace(registered_at=NOON)
    add_changes(steps, [(make_event(1).state, same)])
    assert not any(steps.values())
