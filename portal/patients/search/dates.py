"""The days, months and years that somebody may mean by a date of birth."""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date

from portal.patients.normalize import date_from, month_number

EARLIEST = 1850
_YEAR = re.compile(r"\d{4}$")
_MONTH = re.compile(r"(\d{1,2}|[a-z]{3,9})[\s./,-]+(\d{4})$", re.IGNORECASE)
_YEAR_FIRST = re.compile(
    r"(\d{4})[\s./-]+(\d{1,2}|[a-z]{3,9})(?:[\s./-]+(\d{1,2}))?$", re.IGNORECASE
)
_RUN_TOGETHER = re.compile(r"\d{8}$")


@dataclass(frozen=True)
class DateSpan:
    """From the first day to the last, both included; `words` names it: `15-Mar-1984`, `Mar-1984`, `1984`."""

    first: date
    last: date
    words: str

    @property
    def said(self) -> str:
        return f"Born {self.words}" if self.first == self.last else f"Born in {self.words}"


def parse_date_span(text: str) -> DateSpan | None:
    """The day, the month or the year that the whole text names; None if it names none that anybody can be born in."""
    text = " ".join(text.split()).strip(" ,")
    try:
        span = _day(text) or _month(text) or _year(text)
    except ValueError:
        return None
    return span if span and span.first.year >= EARLIEST and span.first <= _today() else None


def _day(text: str) -> DateSpan | None:
    day = date_from(text)
    if day is None and (found := _YEAR_FIRST.match(text)) and found[3]:
        day = date(int(found[1]), month_number(found[2]), int(found[3]))
    if day is None and _RUN_TOGETHER.match(text):
        day = _run_together(text)
    return DateSpan(day, day, day.strftime("%d-%b-%Y")) if day else None


def _run_together(digits: str) -> date:
    """15031984 or 19840315; no year of either form begins as the other form does."""
    if EARLIEST <= int(digits[:4]) <= _today().year:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    return date(int(digits[4:]), int(digits[2:4]), int(digits[:2]))


def _month(text: str) -> DateSpan | None:
    if found := _MONTH.match(text):
        year, month = int(found[2]), month_number(found[1])
    elif (found := _YEAR_FIRST.match(text)) and not found[3]:
        year, month = int(found[1]), month_number(found[2])
    else:
        return None
    first = date(year, month, 1)
    return DateSpan(first, date(year, month, monthrange(year, month)[1]), first.strftime("%b-%Y"))


def _year(text: str) -> DateSpan | None:
    return (
        DateSpan(date(int(text), 1, 1), date(int(text), 12, 31), text)
        if _YEAR.match(text)
        else None
    )


def _today() -> date:
    return date.today()  # noqa: DTZ011 - who is born today in another zone is found by the day itself
