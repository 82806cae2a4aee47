"""Dates as people type them, in a clinic that writes the day first, and in one of the month."""

from datetime import date

import pytest
from django.utils import timezone

from portal.errors import InvalidInput
from portal.patients.dates import (
    DateOrder,
    date_in_words,
    numeric_date,
    parse_date,
    parse_day,
    proven_order,
)
from portal.patients.search.dates import parse_date_span
from portal.patients.validation import validate_details

NAME = {"family_name": "Example"}


@pytest.fixture(params=["DMY", "MDY"])
def any_order(request, settings):
    settings.DATE_ORDER = request.param


@pytest.fixture
def day_first(settings):
    settings.DATE_ORDER = "DMY"


@pytest.fixture
def month_first(settings):
    settings.DATE_ORDER = "MDY"


def born(text: str, **details) -> tuple[date, str]:
    validated = validate_details({**NAME, "date_of_birth": text, **details})
    return validated["date_of_birth"], validated.get("date_of_birth_precision", "day")


def fault(name: str, text: str) -> str:
    with pytest.raises(InvalidInput) as caught:
        validate_details({**NAME, name: text})
    [problem] = caught.value.errors
    assert problem.pointer == name
    return problem.code


@pytest.mark.parametrize(
    "text",
    [
        "1984-03-15",
        "1984/3/15",
        "19840315",
        "15 mar 1984",
        "15.03.1984",
        "15.3.84",
        "15-March-84",
        "March 15, 1984",
        "15th of March 1984",
        "15MAR1984",
        "15. März 1984",
        "15 marzo 1984",
        "1984年3月15日",
        "1984-03-15 00:00:00",
        "1984-03-15T00:00:00Z",
        "15/3/84",
        "3/15/84",
    ],
)
def test_these_are_one_day_in_every_clinic(text, any_order):
    assert born(text) == (date(1984, 3, 15), "day")


@pytest.mark.parametrize("text", ["3/4/1984", "03-04-1984", "3 4 84", "03041984"])
def test_numbers_are_read_in_the_order_of_the_clinic(text, settings):
    settings.DATE_ORDER = "DMY"
    assert born(text) == (date(1984, 4, 3), "day")
    settings.DATE_ORDER = "MDY"
    assert born(text) == (date(1984, 3, 4), "day")


def test_a_file_may_have_another_order_than_the_clinic(month_first):
    assert parse_date("3/4/1984", order=DateOrder.DAY_FIRST).first == date(1984, 4, 3)


def test_dots_put_the_day_first_in_every_clinic(any_order):
    assert born("03.04.1984") == (date(1984, 4, 3), "day")


def test_a_date_that_reads_both_ways_says_so(day_first):
    assert parse_date("3/4/1984").exchanged == date(1984, 3, 4)
    for text in ("4/4/1984", "15/4/1984", "03.04.1984", "1984-04-03", "3 Apr 1984"):
        assert parse_date(text).exchanged is None


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("12/31/1990", "MDY"),
        ("31/12/90", "DMY"),
        ("13-1-1990 00:00", "DMY"),
        ("3/4/1990", None),
        ("1990-12-31", None),
        ("31.12.1990", None),
        ("31/31/1990", None),
        ("soon", None),
    ],
)
def test_only_a_part_above_twelve_proves_an_order(text, order):
    assert proven_order(text) == order


@pytest.mark.parametrize(
    "text", ["1984-03", "1984/3", "03/1984", "3 1984", "March 1984", "mars-1984"]
)
def test_a_month_of_a_year_is_a_date_of_birth_known_in_part(text, any_order):
    assert born(text) == (date(1984, 3, 1), "month")
    assert parse_date_span(text).text == "Mar-1984"


def test_a_year_alone_is_a_date_of_birth_known_in_part():
    assert born("1984") == (date(1984, 1, 1), "year")
    assert born("1984-03", date_of_birth_precision="year") == (date(1984, 3, 1), "year")


def test_a_date_that_has_to_be_a_day_is_not_made_of_a_year_or_month():
    assert fault("deceased_on", "2015") == "not-a-day"
    assert fault("deceased_on", "Feb 2015") == "not-a-day"
    assert parse_day("2015") is None


@pytest.mark.parametrize("text", ["15/12/26", "15 12 26", "15-Dec-26", "12/15/26"])
def test_a_year_of_two_digits_is_never_ahead(text, monkeypatch):
    monkeypatch.setattr(timezone, "localdate", lambda: date(2026, 11, 28))
    assert born(text) == (date(1926, 12, 15), "day")
    assert born("28-Nov-26") == (date(2026, 11, 28), "day")


def test_a_year_of_two_digits_may_be_ahead_for_a_validity(monkeypatch):
    monkeypatch.setattr(timezone, "localdate", lambda: date(2026, 11, 28))
    assert parse_day("31 dec 31", ahead=30) == date(2031, 12, 31)
    assert parse_day("31 dec 57", ahead=30) == date(1957, 12, 31)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("30 Feb 1984", "no-such-date"),
        ("1984-13-01", "no-such-date"),
        ("soon", "not-a-date"),
        ("1/1/1700", "too-long-ago"),
        ("15 xyz 1984", "no-such-date"),
        ("0000-00-00", "no-such-date"),
        ("15 maybe 1984", "no-such-date"),
        ("maybe 1984", "no-such-date"),
        ("1984-03-15 14:30", "has-a-time"),
        ("30756", "not-a-date"),
        ("13/13/1984", "no-such-date"),
    ],
)
def test_wrong_dates_have_their_own_words(text, code):
    assert fault("date_of_birth", text) == code


def test_dates_are_shown_in_words_and_in_the_order_of_the_clinic(settings):
    assert date_in_words(date(1984, 3, 4)) == "4 March 1984"
    assert date_in_words(date(1984, 3, 1), "month") == "March 1984"
    assert date_in_words(date(1984, 1, 1), "year") == "1984"
    settings.DATE_ORDER = "DMY"
    assert numeric_date(date(1984, 3, 15)) == "15/3/1984"
    settings.DATE_ORDER = "MDY"
    assert numeric_date(date(1984, 3, 15)) == "3/15/1984"
