"""The sentence above the time lines."""

import pytest

from portal.analytics.ranges import RANGES, USUAL, range_of, sentence


def said(*counts, key="24h"):
    """Of a range of as many points as are told, twice as many of them or fewer being there."""
    shown = RANGES[key]
    before, last = counts if len(counts) == 2 else (None, counts[0])
    halves = [half for half in (before, last) if half is not None]
    series = [{"count": count} for half in halves for count in [half, *[0] * (shown.points - 1)]]
    return sentence({shown.registrations: series}, shown)


@pytest.mark.parametrize(
    ("before", "last", "words"),
    [
        (
            33,
            37,
            "37 registrations in the last 24 hours, 12 % more than the 33 in the 24 hours before.",
        ),
        (
            40,
            30,
            "30 registrations in the last 24 hours, 25 % fewer than the 40 in the 24 hours before.",
        ),
        (
            1000,
            1001,
            "1,001 registrations in the last 24 hours, nearly as many as the 1,000 in the 24 hours before.",
        ),
        (2, 2, "2 registrations in the last 24 hours, as many as in the 24 hours before."),
        (0, 1, "1 registration in the last 24 hours, after none in the 24 hours before."),
        (5, 0, "No registrations in the last 24 hours, after 5 in the 24 hours before."),
        (0, 0, "No registrations in the last 24 hours, and none in the 24 hours before."),
    ],
)
def test_registrations_are_compared_with_as_much_time_before(before, last, words):
    assert said(before, last) == words


def test_each_range_has_its_words():
    assert (
        said(1, 2, key="1h")
        == "2 registrations in the last hour, 100 % more than the 1 in the hour before."
    )
    assert said(1, 2, key="30d").endswith(
        "in the last 30 days, 100 % more than the 1 in the 30 days before."
    )


def test_nothing_is_compared_with_time_that_was_not_counted():
    assert said(3) == "3 registrations in the last 24 hours."


def test_an_unknown_range_is_the_usual_one():
    assert range_of("a year") is range_of(None) is USUAL
