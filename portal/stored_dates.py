"""Reads dates that PostgreSQL stores and Python has no value for, so that no reader stops at them.

PostgreSQL takes years up to 5874897, and `infinity`. psycopg raises ValueError for them, in every
query that has such a row among its rows: one bad row would hide all others.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg2.extensions as postgres
from django.utils.timezone import localtime

# Moments that stay in range in every time zone.
_FIRST_MOMENT = datetime.min.replace(tzinfo=UTC) + timedelta(days=2)
_LAST_MOMENT = datetime.max.replace(tzinfo=UTC) - timedelta(days=2)
_DATE, _TIMESTAMP_TZ = 1082, 1184  # PostgreSQL's numbers of its types.
# psycopg's own readers.
_read_date: Callable[[str | None, Any], date | None] = postgres.PYDATE
_read_moment: Callable[[str | None, Any], datetime | None] = postgres.PYDATETIMETZ


class ImpossibleDate(date):
    """A stored date that Python has no value for; it shows itself in words, in every format.

    It sorts as the first or the last day that Python has, it equals itself alone, and it is written
    back as it was read.
    """

    text: str

    def __new__(cls, text: str) -> "ImpossibleDate":
        bound = date.min if _is_before_all(text) else date.max
        day = super().__new__(cls, bound.year, bound.month, bound.day)
        day.text = text
        return day

    def isoformat(self) -> str:
        return self.text

    __str__ = isoformat

    def strftime(self, _format: str, /) -> str:
        return f"{self.text}, which is no possible date"

    def __format__(self, format_spec: str, /) -> str:
        return self.strftime(format_spec) if format_spec else self.text

    def replace(self, *parts: Any, **names: Any) -> date:  # type: ignore[override]  # any parts
        return date(self.year, self.month, self.day).replace(*parts, **names)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ImpossibleDate) and other.text == self.text

    def __ne__(self, other: object) -> bool:
        return not self == other  # That of `date` would compare the day.

    def __hash__(self) -> int:
        return hash(self.text)

    def __reduce__(self) -> tuple[type["ImpossibleDate"], tuple[str]]:
        return ImpossibleDate, (self.text,)


def date_from_text(text: str) -> date:
    """Returns the date of a text as PostgreSQL writes it, which may be an impossible one."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return ImpossibleDate(text)


def known_date(value: date | None) -> date | None:
    """Returns the date, or None where it is not known or impossible: for rules that count."""
    return None if isinstance(value, ImpossibleDate) else value


def date_in_words(value: date | None) -> str | None:
    """Returns `05-Apr-2008`, with the time for a moment, or that it cannot be; None for none."""
    if isinstance(value, datetime):
        if value in (_FIRST_MOMENT, _LAST_MOMENT):
            return "A time that cannot be"
        return f"{localtime(value):%d-%b-%Y %H:%M:%S}"
    if isinstance(value, ImpossibleDate):
        return f"A date that cannot be: {value.text}"
    return f"{value:%d-%b-%Y}" if value else None


def register_casters() -> None:
    """Makes every connection of this process read impossible dates; call it once, at the start."""
    for number, name, cast in ((_DATE, "DATE", _date), (_TIMESTAMP_TZ, "TIMESTAMPTZ", _moment)):
        postgres.register_type(postgres.new_type((number,), name, cast))


def _date(text: str | None, cursor: Any) -> date | None:
    if text is not None and text.endswith("infinity"):
        return ImpossibleDate(text)  # psycopg would say 31 December 9999, which may be meant.
    try:
        return _read_date(text, cursor)
    except (ValueError, OverflowError):
        return ImpossibleDate(text or "")


def _moment(text: str | None, cursor: Any) -> datetime | None:
    if text is None or not text.endswith("infinity"):
        try:
            return _read_moment(text, cursor)
        except (ValueError, OverflowError):
            pass
    return _FIRST_MOMENT if _is_before_all(text or "") else _LAST_MOMENT


def _is_before_all(text: str) -> bool:
    return text.startswith("-") or text.endswith("BC")
