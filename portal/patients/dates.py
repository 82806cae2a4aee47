"""Dates as people type them: the one parser of forms, search, API and imports."""

import re
import unicodedata
from calendar import monthrange
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache

from babel import Locale
from django.conf import settings
from django.utils import timezone

from portal.patients.normalize import fold
from portal.text import clean_text

# Languages whose names of months are read beside the English ones.
_MONTH_LANGUAGES = ("de", "fr", "es", "it", "pt", "nl", "da", "sv", "nb", "pl")
_DASHES = str.maketrans("\u2010\u2012\u2013\u2014\u2212\u2044\u2215", "-----//")
_FILLERS = frozenset({"st", "nd", "rd", "th", "of", "de", "年", "月", "日"})
_PART = re.compile(r"\d+|[^\W\d_]+")
ISO_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")  # What most files and programs write.
_TEXT = re.compile(r"[^\W_][\w\s./,-]*$")
_TIME = re.compile(
    r"(?:\s+|(?<=\d)T)(?P<clock>\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?)\s*(?P<half>[ap]m)?"
    r"\s*(?:Z|UTC|[+-]\d{2}(?::?\d{2})?)?$",
    re.IGNORECASE,
)


class DateOrder(StrEnum):
    """Which part of 3/4/1984 is the month."""

    DAY_FIRST = "DMY"
    MONTH_FIRST = "MDY"


class HasTime(ValueError):
    """The text is a day with a time of that day."""


@dataclass(frozen=True)
class TypedDate:
    """A date as far as it was typed; `precision` is day, month or year.

    `first` is its first day. `exchanged` is the other day that the text can mean, if its day and
    its month read both ways.
    """

    first: date
    precision: str = "day"
    exchanged: date | None = None

    @property
    def last(self) -> date:
        """The last day that the text may mean."""
        if self.precision == "day":
            return self.first
        month = 12 if self.precision == "year" else self.first.month
        return date(self.first.year, month, monthrange(self.first.year, month)[1])


def clinic_order() -> DateOrder:
    """Returns the order of day and month in the dates of this clinic."""
    return DateOrder(settings.DATE_ORDER)


def date_example() -> str:
    """Returns a date as it is typed in numbers, in the clinic's order."""
    return "3 15 1984" if clinic_order() == DateOrder.MONTH_FIRST else "15 3 1984"


def parse_date(text: str, *, order: DateOrder | None = None, ahead: int = 0) -> TypedDate | None:
    """Returns the day, month or year that the whole text names; None for a text of another shape.

    Day and month stand in `order`, by default in the clinic's. With dots the day stands first, and
    a part above 12 is the day. A date whose year has two digits is at most `ahead` years ahead of
    today. ValueError for a date that does not exist, such as 30 February; HasTime for a time.
    """
    if ISO_DAY.match(text):
        return TypedDate(date.fromisoformat(text))
    text = _without_weekday(_without_midnight(_plain(text)))
    if not _TEXT.match(text):
        return None
    match parts := [part for part in _PART.findall(text) if part.lower() not in _FILLERS]:
        case [year] if _is_year(year):
            return TypedDate(date(int(year), 1, 1), "year")
        case [digits] if len(digits) == 8 and digits.isdigit():
            return _parse_eight_digits(digits, order or clinic_order())
        case [month, year] if _is_year(year) and _can_be_month(month):
            return TypedDate(date(int(year), month_number(month), 1), "month")
        case [year, month] if _is_year(year) and _can_be_month(month):
            return TypedDate(date(int(year), month_number(month), 1), "month")
        case [year, month, day] if _is_year(year) and _can_be_month(month) and _is_short(day):
            return TypedDate(date(int(year), month_number(month), int(day)))
        case [_, _, year] if _is_year(year) or (_is_short(year) and len(year) == 2):
            return _parse_year_last(parts, text, order or clinic_order(), ahead)
    return None


def parse_day(text: str, *, ahead: int = 0) -> date | None:
    """Returns the day that the text names, as `parse_date` does; None for a month or a year."""
    typed = parse_date(text, ahead=ahead)
    return typed.first if typed and typed.precision == "day" else None


def proven_order(text: str) -> DateOrder | None:
    """Returns the order of day and month that a numeric date proves by a day above 12.

    Returns None for a text that proves none, such as 3/4/1984, 1984-03-15 or 15.03.1984.
    """
    if ISO_DAY.match(text):
        return None
    try:
        text = _without_midnight(_plain(text))
    except HasTime:
        return None
    found = re.fullmatch(r"(\d{1,2})[\s/-]+(\d{1,2})[\s/-]+(?:\d{4}|\d{2})", text)
    if not found:
        return None
    before, behind = int(found[1]), int(found[2])
    if before <= 12 < behind <= 31:
        return DateOrder.MONTH_FIRST
    return DateOrder.DAY_FIRST if behind <= 12 < before <= 31 else None


def join_parts(day: str, month: str, year: str, *, ahead: int = 0) -> date:
    """Returns the day of three texts; ValueError if there is none. The month may be a name."""
    if not _is_short(day) or not (_is_year(year) or (_is_short(year) and len(year) == 2)):
        raise ValueError(day)
    return _day_of(year, month_number(month), int(day), ahead)


def month_number(text: str) -> int:
    """Returns 1 to 12 for `3`, `mar`, `March`, `März` or `marzo`. ValueError for other words."""
    if text.isdigit():
        return int(text)
    number = _month_names().get(fold(text))
    if number is None:
        raise ValueError(text)
    return number


def date_in_words(first: date, precision: str = "day") -> str:
    """Returns `4 March 1984`, `March 1984` or `1984`, so that no reader exchanges the parts."""
    if precision == "year":
        return str(first.year)
    return f"{first:%B} {first.year}" if precision == "month" else f"{first.day} {first:%B %Y}"


def numeric_date(day: date) -> str:
    """Returns the day as this clinic types it: `15/3/1984`, or `3/15/1984`."""
    parts = (day.day, day.month)
    if clinic_order() == DateOrder.MONTH_FIRST:
        parts = (day.month, day.day)
    return f"{parts[0]}/{parts[1]}/{day.year}"


def _plain(text: str) -> str:
    """Returns the text with the usual digits, dashes and slashes, and without unseen marks."""
    return clean_text(unicodedata.normalize("NFKC", text).translate(_DASHES)).strip(" ,")


def _without_weekday(text: str) -> str:
    """Returns `15 March 1984` for `Thursday, 15 March 1984`, the long form of spreadsheets."""
    word, _, rest = text.partition(" ")
    return rest.strip() if fold(word.rstrip(".,")) in _weekday_names() else text


def _without_midnight(text: str) -> str:
    """Returns the text without a time of 00:00, which exports of databases add to days."""
    found = _TIME.search(text)
    if not found:
        return text
    clock, half = found["clock"], (found["half"] or "").lower()
    if half == "am" and clock.startswith("12"):
        clock = clock[2:]
    if half == "pm" or clock.strip("0:.,"):
        raise HasTime
    return text[: found.start()].rstrip(" ,")


def _is_year(text: str) -> bool:
    return len(text) == 4 and text.isdigit()


def _is_short(text: str) -> bool:
    return len(text) <= 2 and text.isdigit()


def _can_be_month(text: str) -> bool:
    return _is_short(text) or not text.isdigit()


def _parse_eight_digits(digits: str, order: DateOrder) -> TypedDate:
    """Returns the day of 19840315, or of 15031984: no year begins as a day and a month do."""
    if 18 <= int(digits[:2]) <= 21 and int(digits[4:6]) <= 12:
        return TypedDate(date(int(digits[:4]), int(digits[4:6]), int(digits[6:])))
    return _parse_numeric(int(digits[:2]), int(digits[2:4]), digits[4:], order, 0)


def _parse_year_last(parts: list[str], text: str, order: DateOrder, ahead: int) -> TypedDate | None:
    before, behind, year = parts
    if _is_short(before) and not behind.isdigit():
        return TypedDate(_day_of(year, month_number(behind), int(before), ahead))
    if _is_short(behind) and not before.isdigit():
        return TypedDate(_day_of(year, month_number(before), int(behind), ahead))
    if not (_is_short(before) and _is_short(behind)):
        return None
    if text.count(".") >= 2:
        return TypedDate(_day_of(year, int(behind), int(before), ahead))
    return _parse_numeric(int(before), int(behind), year, order, ahead)


def _parse_numeric(before: int, behind: int, year: str, order: DateOrder, ahead: int) -> TypedDate:
    month, day = (before, behind) if order == DateOrder.MONTH_FIRST else (behind, before)
    if day <= 12 < month:
        month, day = day, month
    first = _day_of(year, month, day, ahead)
    reads_both_ways = day != month and day <= 12
    return TypedDate(first, exchanged=_day_of(year, day, month, ahead) if reads_both_ways else None)


def _day_of(year: str, month: int, day: int, ahead: int) -> date:
    return date(_full_year(year, month, day, ahead), month, day)


def _full_year(text: str, month: int, day: int, ahead: int) -> int:
    """Returns the year; of two digits the latest whose day is at most `ahead` years ahead."""
    if len(text) > 2:
        return int(text)
    today = timezone.localdate()
    latest = today.year + ahead
    year = latest - (latest - int(text)) % 100
    return year - 100 if (year, month, day) > (latest, today.month, today.day) else year


@cache
def _month_names() -> dict[str, int]:
    """Returns the numbers by folded name, without a name that means several months."""
    meanings: dict[str, set[int]] = defaultdict(set)
    for language in _MONTH_LANGUAGES:
        for name, number in _names_in(language):
            meanings[name].add(number)
    names = {name: min(numbers) for name, numbers in meanings.items() if len(numbers) == 1}
    return names | dict(_names_in("en")) | {"sept": 9}


@cache
def _weekday_names() -> frozenset[str]:
    names: set[str] = set()
    for language in ("en", *_MONTH_LANGUAGES):
        days = Locale(language).days["format"]
        names |= {fold(name) for name in [*days["wide"].values(), *days["abbreviated"].values()]}
    return frozenset(names - _month_names().keys())  # "mar" is March before it is martes.


def _names_in(language: str) -> list[tuple[str, int]]:
    months = Locale(language).months
    names: list[tuple[str, int]] = []
    for use in ("format", "stand-alone"):
        for width in ("wide", "abbreviated"):
            names += [(fold(name), number) for number, name in months[use][width].items()]
    return [(name, number) for name, number in names if len(name) >= 3]
