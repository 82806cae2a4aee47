"""The rules of entered dates, and the stored dates that no person can have."""

import re
from datetime import date
from typing import Any

from django.utils import timezone

from portal.errors import FieldProblem
from portal.patients.columns import InvalidValue
from portal.patients.dates import HasTime, TypedDate, numeric_date, parse_date
from portal.patients.fields import FIELD_OF
from portal.patients.models import FIRST_DAY, LAST_DAY, Patient, Precision
from portal.stored_dates import known_date

EARLIEST_DATE = date.fromisoformat(FIRST_DAY)
# Years that a two-digit year may lie ahead: a passport that ends in 31 does not end in 1931.
YEARS_AHEAD = 30
ENDS_BEFORE_START = "Valid to is before valid from. Check both dates."
_SHEET_DAY = re.compile(r"[1-7]\d{4}(\.\d*)?$")  # 10000 to 79999 stand for 1927 to 2119
_DATES = ("date_of_birth", "deceased_on", "registered_on")
_IN_THE_FUTURE = {
    "date_of_birth": "The date of birth must be today or in the past.",
    "deceased_on": "The date of death must be today or in the past.",
    "registered_on": "The day of registration must be today or in the past.",
}


def validate_past_day(name: str, value: Any) -> date | None:
    day = _validate_day(value)
    if day and day > timezone.localdate():
        message = _IN_THE_FUTURE.get(name, "This day must be today or in the past.")
        raise InvalidValue("in-the-future", message)
    return day


def validity_day(value: Any) -> date | None:
    """Returns the day on which an identifier begins or ends, which may be to come. InvalidValue."""
    return _validate_day(value, years_ahead=YEARS_AHEAD)


def _validate_day(value: Any, *, years_ahead: int = 0) -> date | None:
    if value in (None, ""):
        return None
    is_date = isinstance(value, date)
    typed = TypedDate(value) if is_date else read_date(str(value), years_ahead=years_ahead)
    if typed.precision != Precision.DAY:
        raise InvalidValue("not-a-day", f"Give the whole date, such as {_example_day()}.")
    if typed.first < EARLIEST_DATE:
        raise InvalidValue("too-long-ago", "Enter a date after 1849.")
    return typed.first


def read_date(text: str, *, years_ahead: int = 0) -> TypedDate:
    """Returns the day, month or year of a text that is not empty. InvalidValue says what is wrong.

    See `dates.parse_date` for what is understood.
    """
    try:
        typed = parse_date(text, ahead=years_ahead)
    except HasTime as error:
        message = "Give the day alone, without a time."
        raise InvalidValue("has-a-time", message) from error
    except ValueError as error:
        message = "There is no such date. Check the day and the month."
        raise InvalidValue("no-such-date", message) from error
    if typed is None and _SHEET_DAY.match(text):
        message = (
            "This is a spreadsheet's number of a day. Give the column the format of a date there, "
            "and save the file again."
        )
        raise InvalidValue("not-a-date", message)
    if typed is None:
        raise InvalidValue("not-a-date", f"Enter a date such as {_example_day()}.")
    return typed


def _example_day() -> str:
    return f"1984-03-15, {numeric_date(date(1984, 3, 15))} or 15 Mar 1984"


def impossible_dates(patient: Patient) -> list[FieldProblem]:
    """Returns a problem for each date of a stored record that no person can have.

    They came by SQL, around the checks of all channels.
    """
    return [
        FieldProblem(
            name,
            "impossible-date",
            f"The stored day of “{FIELD_OF[name].label}” is not possible. Correct it first.",
        )
        for name in _DATES
        if not _is_possible(getattr(patient, name))
    ]


def _is_possible(value: date | None) -> bool:
    if value is None:
        return True
    return known_date(value) is not None and FIRST_DAY <= str(value) <= LAST_DAY


def ends_before_start(start: date | None, end: date | None) -> bool:
    """Returns whether these days leave no day on which the identifier is valid."""
    return bool(start and end and end < start)
