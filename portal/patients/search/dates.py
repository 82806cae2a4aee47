"""The day, month or year that a typed text means as a date of birth."""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date

from portal.patients.normalize import date_from, month_number
from portal.patients.search import tuning

_YEAR = re.compile(r"\d{4}$")
_MONTH = re.compile(r"(\d{1,2}|[a-z]{3,9})[\s./,-]+(\d{4})$", re.IGNORECASE)
_YEAR_FIRST = re.compile(
    r"(\d{4})[\s./-]+(\d{1,2}|[a-z]{3,9})(?:[\s./-]+(\d{1,2}))?$", re.IGNORECASE
)
_EIGHT_DIGITS = re.compile(r"\d{8}$")


@dataclass(frozen=True)
class DateSpan:
    """The days from `first` to `last`, both included.

    `text` names them: `15-Mar-1984`, `Mar-1984` or `1984`.
    """

    first: date
    last: date
    text: str

    @property
    def reason(self) -> str:
        """The reason that a patient born on one of these days is shown with."""
        return f"Born {self.text}" if self.first == self.last else f"Born in {self.text}"


def parse_date_span(text: str) -> DateSpan | None:
    """Returns the day, month or year that the whole text names.

    Returns None if it names none, or one in which no patient can be born.
    """
    text = " ".join(text.split()).strip(" ,")
    try:
        span = _parse_day(text) or _parse_month(text) or _parse_year(text)
    except ValueError:
        return None
    if span is None or span.first.year < tuning.SEARCH.earliest_birth_year:
        return None
    return span if span.first <= _today() else None


def _parse_day(text: str) -> DateSpan | None:
    day = date_from(text)
    if day is None and (found := _YEAR_FIRST.match(text)) and found[3]:
        day = date(int(found[1]), month_number(found[2]), int(found[3]))
    if day is None and _EIGHT_DIGITS.match(text):
        day = _parse_eight_digits(text)
    return DateSpan(day, day, day.strftime("%d-%b-%Y")) if day else None


def _parse_eight_digits(digits: str) -> date:
    """Returns the day of 15031984 or 19840315: no year of birth begins as a day and month do."""
    if tuning.SEARCH.earliest_birth_year <= int(digits[:4]) <= _today().year:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    return date(int(digits[4:]), int(digits[2:4]), int(digits[:2]))


def _parse_month(text: str) -> DateSpan | None:
    if found := _MONTH.match(text):
        year, month = int(found[2]), month_number(found[1])
    elif (found := _YEAR_FIRST.match(text)) and not found[3]:
        year, month = int(found[1]), month_number(found[2])
    else:
        return None
    first = date(year, month, 1)
    return DateSpan(first, date(year, month, monthrange(year, month)[1]), first.strftime("%b-%Y"))


def _parse_year(text: str) -> DateSpan | None:
    if not _YEAR.match(text):
        return None
    return DateSpan(date(int(text), 1, 1), date(int(text), 12, 31), text)


def _today() -> date:
    return date.today()  # noqa: DTZ011 - who is born today in another time zone is found by day
