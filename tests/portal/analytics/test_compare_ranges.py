"""The sentence above the time lines."""

import pytest

from portal.analytics.ranges import DEFAULT, RANGES, find_range, summarize


def sentence(*counts, key="24h"):
    """The sentence for so many registrations in the range before and in the range itself.

    With one count there is no range before.
    """
    selected = RANGES[key]
    series = []
    for count in counts:
        series += [{"count": count}] + [{"count": 0}] * (selected.points - 1)
    return summarize({selected.registrations: series}, selected)


@pytest.mark.parametrize(
    ("before", "last", "words"),
    [
        (33, 37, "37 registrations in the last 24 hours, 12 % more than the 33 in"),
        (40, 30, "30 registrations in the last 24 hours, 25 % fewer than the 40 in"),
        (1000, 1001, "1,001 registrations in the last 24 hours, nearly as many as the 1,000 in"),
        (2, 2, "2 registrations in the last 24 hours, as many as in"),
        (0, 1, "1 registration in the last 24 hours, after none in"),
        (5, 0, "No registrations in the last 24 hours, after 5 in"),
        (0, 0, "No registrations in the last 24 hours, and none in"),
    ],
)
def test_registrations_are_compared_with_as_much_time_before(before, last, words):
    assert sentence(before, last) == f"{words} the 24 hours before."


@pytest.mark.parametrize(
    ("key", "ending"),
    [
        ("1h", "in the last hour, 100 % more than the 1 in the hour before."),
        ("30d", "in the last 30 days, 100 % more than the 1 in the 30 days before."),
    ],
)
def test_each_range_has_its_words(key, ending):
    assert sentence(1, 2, key=key) == f"2 registrations {ending}"


def test_nothing_is_compared_with_time_that_was_not_counted():
    assert sentence(3) == "3 registrations in the last 24 hours."


def test_an_unknown_range_is_the_default():
    assert find_range("a year") is find_range(None) is DEFAULT
