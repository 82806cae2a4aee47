"""A cached value is computed once for its time to live, by one thread."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from django.core.cache import cache

from portal.cache import CachedValue

SMALL, LARGE = 3, 1_000


class Table:
    """Rows that can be counted; it counts how often they are."""

    def __init__(self, rows: int) -> None:
        self.rows, self.count_calls = rows, 0

    def count(self) -> int:
        self.count_calls += 1
        return self.rows


def cached(compute) -> CachedValue[int]:
    return CachedValue(
        "test.count", compute, ttl_seconds=60, worth_keeping=lambda count: count >= LARGE
    )


@pytest.fixture(autouse=True)
def _empty_cache():
    cache.clear()


def test_a_value_that_is_not_worth_keeping_is_computed_each_time():
    table = Table(SMALL)
    count = cached(table.count)
    assert count() == SMALL
    table.rows += 1
    assert count() == SMALL + 1


def test_a_value_worth_keeping_is_computed_once_for_its_time_to_live():
    """Red when each page counts a million rows."""
    table = Table(LARGE)
    count = cached(table.count)
    count()
    table.rows += 1
    assert (count(), table.count_calls) == (LARGE, 1)
    count.expire()
    assert (count(), table.count_calls) == (LARGE + 1, 2)


def test_a_time_to_live_ends():
    table = Table(LARGE)
    count = CachedValue("test.count", table.count, ttl_seconds=0)
    count(), count()
    assert table.count_calls == 2


def test_a_value_that_became_cheap_is_fresh_again():
    table = Table(LARGE)
    count = cached(table.count)
    count()
    count.expire()
    table.rows = 1
    assert count() == 1
    table.rows = 2
    assert count() == 2


def test_while_one_thread_computes_the_others_get_the_older_value():
    table, began, go_on = Table(LARGE), Event(), Event()

    def count_slowly() -> int:
        if table.count_calls:
            began.set()
            assert go_on.wait(60)
        return table.count()

    count = cached(count_slowly)
    count()
    count.expire()
    table.rows += 1
    with ThreadPoolExecutor(1) as other:
        counting = other.submit(count)
        assert began.wait(60)
        assert count() == LARGE
        go_on.set()
        assert counting.result(60) == LARGE + 1


def test_after_an_error_the_next_call_computes_again():
    table = Table(SMALL)

    def fail_once() -> int:
        if not table.count():
            raise ZeroDivisionError
        return table.rows

    count = cached(fail_once)
    table.rows = 0
    with pytest.raises(ZeroDivisionError):
        count()
    table.rows = SMALL
    assert count() == SMALL
