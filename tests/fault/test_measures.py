"""The measures of a run, from which its tables come."""

from datetime import UTC, datetime

import pytest

from tests.fault.faults import BILLING_AWAY, BROKER_AWAY, KILL, Fault
from tests.fault.history import Operation, Outcome
from tests.fault.measures import (
    api_recovery,
    calm_spans,
    dead_letter_seconds,
    errors_from_neighbours,
    percentile,
    seconds_to_figure,
    seconds_to_show,
    slowdowns,
)
from tests.fault.nemesis import Injected
from tests.fault.probes import PLACES, Sight
from tests.fault.stores import LogRow, Poison, Stores


def slot(began, mended, *faults, over=1.0):
    return Injected(list(faults or [Fault(KILL, "billing", 1.0)]), began, mended, {"topic": over})


def request(began, seconds, *, statuses=(200,), outcome=Outcome.OK):
    return Operation(
        1, "change", began=began, ended=began + seconds, statuses=list(statuses), outcome=outcome
    )


def made(event_id, at):
    return LogRow(event_id, "a", 1, "insert", "active", "", "", datetime.fromtimestamp(at, UTC))


def test_calm_is_what_lies_between_the_end_of_one_slot_and_the_next():
    assert calm_spans([slot(10, 15, over=2), slot(30, 31, over=0.5)], 0, 40) == [
        (0, 10),
        (17, 30),
        (31.5, 40),
    ]


def test_a_part_that_never_came_back_leaves_no_calm():
    assert calm_spans([slot(10, 15, over=None)], 0, 40) == [(0, 10)]


def test_only_changes_of_calm_times_are_timed_and_late_ones_count_too():
    log = [made(1, 1.0), made(2, 3.0), made(3, 12.0), made(4, 9.5)]
    assert seconds_to_figure(log, {1: 1.25, 3: 12.1}, [(0, 10)]) == [0.25, 7.0]


def test_a_dead_letter_counts_from_its_planting():
    stores = Stores(
        poison=[Poison("1", 5.0), Poison("2", 50.0)],
        dead_letters=[Poison("1", 6.5, "x"), Poison("1", 9, "x"), Poison("2", 51, "x")],
    )
    assert dead_letter_seconds(stores, [(0, 10)]) == [1.5]


@pytest.mark.parametrize(("share", "value"), [(0.5, 3), (0.99, 4), (0.0, 1)])
def test_percentile(share, value):
    assert percentile([1, 2, 3, 4], share) == value
    assert percentile([], share) == 0


def test_an_outage_is_shown_when_its_own_name_is():
    outage = slot(10, 22, Fault(BILLING_AWAY, BILLING_AWAY, 12.0))
    sights = [Sight(9, "page", frozenset({"billing"})), Sight(14, "page", frozenset({"events"}))]
    sights += [
        Sight(15, "page", frozenset({"billing"})),
        Sight(30, "/metrics", frozenset({"billing"})),
    ]
    found = {place: seconds for _, place, _, seconds in seconds_to_show([outage], sights)}
    assert found == dict.fromkeys(PLACES) | {"page": 5}


def test_an_error_is_a_neighbours_unless_the_api_itself_was_touched():
    lost = request(12, 1, statuses=(0,), outcome=Outcome.UNKNOWN)
    assert errors_from_neighbours([lost, request(12, 1)], [slot(10, 15)]) == [lost]
    assert errors_from_neighbours([lost], [slot(10, 15, Fault(KILL, "PostgreSQL", 1.0))]) == []
    assert (
        errors_from_neighbours([lost], [slot(0, 5, Fault("reset", "client to portal", 1.0))]) == []
    )


def test_the_api_is_back_with_the_first_success_of_a_later_request():
    failed = request(16, 1, statuses=(500,), outcome=Outcome.UNKNOWN)
    assert api_recovery([request(14, 3), failed, request(18, 0.5)], 15) == 3.5
    assert api_recovery([failed], 15) is None


def test_writes_of_a_long_outage_are_compared_with_the_calm_before():
    outage = slot(100, 700, Fault(BROKER_AWAY, BROKER_AWAY, 600.0))
    history = [
        request(10, 0.1),
        request(20, 0.3),
        request(30, 0.2),
        request(200, 0.5),
        request(800, 9),
    ]
    assert list(slowdowns(history, [outage], 0)) == [
        (outage, pytest.approx(0.2), pytest.approx(0.5))
    ]
    assert list(slowdowns(history, [slot(100, 110)], 0)) == []
