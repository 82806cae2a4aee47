from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from analytics_stream.figures import draw_figures, tag_of

NOW = datetime(2026, 4, 5, 0, 30, tzinfo=UTC)
TODAY = date(2026, 4, 5)


def draw(**counts):
    return draw_figures(counts, now=NOW, today=TODAY)


def test_empty_counts_give_whole_figures():
    figures = draw()
    zeros = (
        "active",
        "archived",
        "merged",
        "registeredToday",
        "registered7Days",
        "registered30Days",
        "events",
    )
    assert figures["totals"] == dict.fromkeys(zeros, 0)
    assert {name: len(series) for name, series in figures.items() if isinstance(series, list)} == {
        "registrationsByDay": 90,
        "registrationsByHour": 48,
        "registrationsByMinute": 120,
        "eventsByDay": 30,
        "eventsByHour": 24,
        "eventsByMinute": 60,
    }
    assert figures["byAgeBand"] == dict.fromkeys(
        ["0-17", "18-39", "40-64", "65-79", "80+", "unknown"], 0
    )
    assert figures["bySex"] == dict.fromkeys(["female", "male", "other", "unknown"], 0)
    assert figures["byRegion"] == figures["bySource"] == {}


def test_registrations_are_summed_over_today_7_and_30_days():
    days = {
        "2026-04-05": 1,
        "2026-03-30": 10,
        "2026-03-29": 100,
        "2026-03-07": 1000,
        "2026-03-06": 10000,
        "2026-04-06": 7,
    }
    totals = draw(registered_on=days)["totals"]
    assert [
        totals[name] for name in ("registeredToday", "registered7Days", "registered30Days")
    ] == [1, 11, 1111]


def test_days_hours_and_minutes_have_no_gaps_and_end_now():
    figures = draw(
        registered_on={"2026-04-05": 2},
        registered_at={"2026-04-04T23": 3},
        minute={"2026-04-05T00:30": 4},
    )
    assert figures["registrationsByDay"][0] == {"day": "2026-01-06", "count": 0}
    assert figures["registrationsByDay"][-1] == {"day": "2026-04-05", "count": 2}
    assert figures["registrationsByHour"][0] == {"at": "2026-04-03T01:00:00Z", "count": 0}
    assert figures["registrationsByHour"][-2:] == [
        {"at": "2026-04-04T23:00:00Z", "count": 3},
        {"at": "2026-04-05T00:00:00Z", "count": 0},
    ]
    assert figures["eventsByMinute"][0] == {"at": "2026-04-04T23:31:00Z", "count": 0}
    assert figures["eventsByMinute"][-1] == {"at": "2026-04-05T00:30:00Z", "count": 4}


def test_both_kinds_of_line_are_there_by_minute_hour_and_day():
    figures = draw(
        registered_minute={"2026-04-04T22:31": 1},
        event_hour={"2026-04-04T01": 2},
        event_day={"2026-04-05": 3},
    )
    assert figures["registrationsByMinute"][0] == {"at": "2026-04-04T22:31:00Z", "count": 1}
    assert figures["eventsByHour"][0] == {"at": "2026-04-04T01:00:00Z", "count": 2}
    assert figures["eventsByDay"][0] == {"day": "2026-03-07", "count": 0}
    assert figures["eventsByDay"][-1] == {"day": "2026-04-05", "count": 3}


def test_each_hour_comes_once_when_the_clocks_go_back():
    """Red when the hours are counted back by the clinic's clock."""
    now = datetime(2026, 10, 25, 5, 30, tzinfo=ZoneInfo("Europe/London"))
    hours = [
        hour["at"] for hour in draw_figures({}, now=now, today=now.date())["registrationsByHour"]
    ]
    assert len(set(hours)) == 48
    assert (hours[0], hours[-1]) == ("2026-10-23T06:00:00Z", "2026-10-25T05:00:00Z")


@pytest.mark.parametrize(
    ("year", "band"),
    [
        ("2026", "0-17"),
        ("2009", "0-17"),
        ("2008", "18-39"),
        ("1987", "18-39"),
        ("1986", "40-64"),
        ("1962", "40-64"),
        ("1961", "65-79"),
        ("1947", "65-79"),
        ("1946", "80+"),
        ("1890", "80+"),
        ("0000", "unknown"),
        ("2027", "unknown"),
    ],
)
def test_the_age_band_is_that_of_the_age_reached_this_year(year, band):
    bands = draw(birth_year={year: 5})["byAgeBand"]
    assert {name: count for name, count in bands.items() if count} == {band: 5}


def test_regions_are_the_twenty_largest_and_ties_go_by_name():
    regions = draw(region={f"R{number:02}": 5 + number % 2 for number in range(30)})["byRegion"]
    assert list(regions)[:2] == ["R01", "R03"]
    assert list(regions)[-1] == "R08"
    assert len(regions) == 20


def test_the_tag_changes_with_a_figure_and_not_with_the_clock():
    figures = {**draw(), "asOf": "10:42", "lagSeconds": 0.0}
    assert tag_of(figures) == tag_of({**figures, "asOf": "10:43"})
    assert tag_of(figures) != tag_of({**figures, "lagSeconds": 1.5})
    assert tag_of(figures) != tag_of({**figures, "byRegion": {"Ohio": 1}})
