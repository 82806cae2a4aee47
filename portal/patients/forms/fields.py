"""A date in boxes: three for one that may be known in part, one for a whole day that may be to come."""

from collections import namedtuple
from datetime import date
from typing import Any

from django import forms

from portal.patients.models import Precision
from portal.patients.validation import Wrong, valid_day

Box = namedtuple("Box", "label width")


class DateBoxes(forms.MultiWidget):
    """Day, month and year; the form's renderer draws what `boxes` names."""

    boxes = (Box("Day", 3), Box("Month", 4), Box("Year", 4))

    def __init__(self) -> None:
        super().__init__([forms.TextInput() for _ in self.boxes])

    def decompress(self, value: Any) -> list[str]:
        return list(value) if value else ["", "", ""]


class DateBoxesField(forms.Field):
    """Takes month names, two-digit years and a whole date pasted into the first box.

    Cleans to (text that `words.date_from` reads, precision), or to None where all boxes are empty.
    """

    widget = DateBoxes

    def to_python(self, value: Any) -> tuple[str, str] | None:
        day, month, year = ((text or "").strip() for text in value or ("", "", ""))
        if not (day or month or year):
            return None
        if day and not (month or year):
            return day, Precision.DAY
        if not year:
            raise forms.ValidationError("Enter the year.")
        if day and not month:
            raise forms.ValidationError("Enter the month.")
        precision = Precision.DAY if day else Precision.MONTH if month else Precision.YEAR
        return f"{day or 1} {month or 1} {year}", precision


def boxes_of(value: date | None, precision: str = Precision.DAY) -> list[str]:
    """What the boxes show for a stored date; unknown parts stay empty."""
    if value is None:
        return ["", "", ""]
    day = str(value.day) if precision == Precision.DAY else ""
    month = "" if precision == Precision.YEAR else str(value.month)
    return [day, month, str(value.year)]


class DayField(forms.CharField):
    """One box for a whole day, in all the forms that dates take here; cleans to the date, or to None."""

    def __init__(self, **options: Any) -> None:
        attrs = {"autocomplete": "off", "spellcheck": "false", "class": "nhsuk-input--width-10"}
        super().__init__(widget=forms.TextInput(attrs=attrs), **options)

    def clean(self, value: Any) -> Any:
        try:
            return valid_day(super().clean(value))
        except Wrong as wrong:
            raise forms.ValidationError(wrong.detail) from wrong


def day_in_box(value: date | None) -> str:
    """What one box shows for a stored day."""
    return f"{value:%d-%b-%Y}" if value else ""
