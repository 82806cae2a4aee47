"""The day, month or year that a typed text means as a date of birth."""

from dataclasses import dataclass
from datetime import date

from django.utils import timezone

from portal.patients.dates import parse_date
from portal.patients.search import tuning

_FORMATS = {"day": "%d-%b-%Y", "month": "%b-%Y", "year": "%Y"}


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
    """Returns the day, month or year that the whole text names, in the clinic's order.

    Returns None if it names none, or one in which no patient can be born.
    """
    try:
        typed = parse_date(text)
    except ValueError:
        return None
    if typed is None or typed.first.year < tuning.SEARCH.earliest_birth_year:
        return None
    if typed.first > timezone.localdate():
        return None
    return DateSpan(typed.first, typed.last, typed.first.strftime(_FORMATS[typed.precision]))
