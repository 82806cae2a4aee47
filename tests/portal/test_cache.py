"""Figures are fresh while counting is cheap, and kept for some seconds where it is not."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

from portal.cache import LARGE, SECONDS, Kept


class Table:
    """Rows that can be counted, and how often they were."""

    def __init__(self, rows: int) -> None:
        self.rows, self.counted, self.now = rows, 0, 1_000.0

    def count(self) -> int:
        self.counted += 1
        return self.rows


def test_a_small_figure_is_counted_each_time():
    table = Table(LARGE - 2)
    figure = Kept(table.count, size=int)
    assert figure() == LARGE - 2
    table.rows += 1
    assert figure() == LARGE - 1


def test_a_large_one_is_kept_for_some_seconds():
    """Red when each page counts a million rows."""
    table = Table(LARGE)
    figure = Kept(table.count, size=int, clock=lambda: table.now)
    figure()
    table.rows += 1
    table.now += SECONDS / 2
    assert (figure(), table.counted) == (LARGE, 1)
    table.now += SECONDS
    assert (figure(), table.counted) == (LARGE + 1, 2)


def test_one_that_became_small_is_fresh_again():
    table = Table(LARGE)
    figure = Kept(table.count, size=int, clock=lambda: table.now)
    figure()
    table.rows, table.now = 1, table.now + SECONDS
    assert figure() == 1
    table.rows = 2
    assert figure() == 2


def test_while_one_counts_the_others_get_the_figure_of_before():
    table, began, go_on = Table(LARGE), Event(), Event()

    def slow() -> int:
        if table.counted:
            began.set()
            assert go_on.wait(60)
        return table.count()

    figure = Kept(slow, size=int, clock=lambda: table.now)
    figure()
    table.now += SECONDS
    table.rows += 1
    with ThreadPoolExecutor(1) as other:
        counting = other.submit(figure)
        assert began.wait(60)
        assert figure() == LARGE
        go_on.set()
        assert counting.result(60) == LARGE + 1


def test_a_count_that_fails_does_not_keep_the_next_from_counting():
    answers = iter([ZeroDivisionError(), 7])

    def count() -> int:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    figure = Kept(count, size=int)
    try:
        figure()
    except ZeroDivisionError:
        assert figure() == 7
