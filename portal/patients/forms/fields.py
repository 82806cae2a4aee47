"""Form fields for a line of text, a date in three boxes, and a day in one box."""

from datetime import date
from typing import Any, NamedTuple

from django import forms

from portal.patients.columns import InvalidValue
from portal.patients.dates import DateOrder, clinic_order, date_in_words, join_parts
from portal.patients.entered_dates import read_date, validity_day
from portal.patients.fields import FIELD_OF
from portal.patients.models import Precision
from portal.stored_dates import known_date

# Staff type other people's details, so the browser must not offer what was typed before.
TEXT_ATTRIBUTES = {"autocomplete": "off", "spellcheck": "false"}


class TextField(forms.CharField):
    """A line of text. A form has thirty, so a copy for a form takes only what a form may change."""

    def __deepcopy__(self, memo: dict[int, Any]) -> "TextField":
        twin = _shallow_copy(self)
        twin.widget = _shallow_copy(self.widget)
        twin.widget.attrs = {**self.widget.attrs}
        memo[id(self)] = twin
        return twin


def _shallow_copy(original: Any) -> Any:
    """Does what `copy.copy` does to a plain object, in a tenth of the time."""
    twin = object.__new__(type(original))
    twin.__dict__.update(original.__dict__)
    return twin


def text_field(label: str, *, width: str = "", **attributes: str) -> forms.CharField:
    """Returns an optional line of text; `width` is one of the design system's, in characters."""
    css = f"nhsuk-input--width-{width}" if width else ""
    widget = forms.TextInput({**TEXT_ATTRIBUTES, "class": css, **attributes})
    return TextField(label=label, required=False, widget=widget)


def column_label(name: str) -> str:
    """Returns the label of a patient's column in forms, from the table of fields."""
    field = FIELD_OF[name]
    return field.form_label or field.label


def column_field(name: str, *, width: str = "", **attributes: str) -> forms.CharField:
    """Returns the line of text for a patient's column, with the label of the table of fields."""
    return text_field(column_label(name), width=width, **attributes)


class Box(NamedTuple):
    """One of the boxes of a date; `width` is in characters, `place` its index among the values."""

    label: str
    width: int
    place: int


_DAY, _MONTH, _YEAR = Box("Day", 3, 0), Box("Month", 4, 1), Box("Year", 4, 2)


class DateBoxes(forms.MultiWidget):
    """Draws a box each for day, month and year; the form's renderer reads `boxes` and `order`.

    The boxes stand in the clinic's order. Their names keep it: the day is always the first value.
    """

    def __init__(self) -> None:
        super().__init__([forms.TextInput() for _ in range(3)])

    @property
    def order(self) -> str:
        return clinic_order().value

    @property
    def boxes(self) -> tuple[Box, ...]:
        if clinic_order() == DateOrder.MONTH_FIRST:
            return _MONTH, _DAY, _YEAR
        return _DAY, _MONTH, _YEAR

    def decompress(self, value: Any) -> list[str]:
        return list(value) if value else ["", "", ""]


class DateBoxesField(forms.Field):
    """A date that may be known in part, if `may_be_partial`.

    It takes month names, years of two digits, and a whole date pasted into one box. It cleans to
    (first day, precision), or to None if all boxes are empty.
    """

    widget = DateBoxes

    def __init__(self, *, may_be_partial: bool, **options: Any) -> None:
        super().__init__(**options)
        self.may_be_partial = may_be_partial

    def to_python(self, value: Any) -> tuple[date, str] | None:
        parts = _trimmed_boxes(value)
        if not any(parts):
            return None
        try:
            found = _join_boxes(*parts)
        except InvalidValue as wrong:
            raise forms.ValidationError(wrong.detail) from wrong
        except ValueError as error:
            message = "There is no such date. Check the day and the month."
            raise forms.ValidationError(message) from error
        if found[1] != Precision.DAY and not self.may_be_partial:
            raise forms.ValidationError("Enter the day, the month and the year.")
        return found

    def has_changed(self, initial: Any, data: Any) -> bool:
        return _trimmed_boxes(initial) != _trimmed_boxes(data)


def _join_boxes(day: str, month: str, year: str) -> tuple[date, str]:
    """Returns the first day and the precision of three boxes, or of a date in one of them."""
    only = [text for text in (day, month, year) if text]
    if len(only) == 1 and not (year.isdigit() and len(year) <= 4):
        typed = read_date(only[0])
        return typed.first, typed.precision
    if not year:
        raise forms.ValidationError("Enter the year.")
    if day and not month:
        raise forms.ValidationError("Enter the month.")
    precision = Precision.DAY if day else Precision.MONTH if month else Precision.YEAR
    return join_parts(day or "1", month or "1", year), precision


def _trimmed_boxes(value: Any) -> list[str]:
    return [(text or "").strip() for text in value or ("", "", "")]


def date_in_boxes(value: date | None, precision: str = Precision.DAY) -> list[str]:
    """Returns what the boxes show for a stored date; parts that are not known stay empty."""
    if value is None:
        return ["", "", ""]
    if known_date(value) is None:
        return [str(value), "", ""]  # All of it in the first box, to be corrected.
    day = str(value.day) if precision == Precision.DAY else ""
    month = "" if precision == Precision.YEAR else str(value.month)
    return [day, month, str(value.year)]


def boxes_in_words(value: list[str]) -> str:
    """Returns what the boxes of a date mean: `4 March 1984`; the bare texts if that is no date."""
    try:
        found = DateBoxesField(may_be_partial=True, required=False).to_python(value)
    except forms.ValidationError:
        return " ".join(filter(None, value))
    return date_in_words(*found) if found else ""


class DayField(TextField):
    """A whole day in one box, past or to come; it cleans to the date, or to None."""

    def __init__(self, **options: Any) -> None:
        widget = forms.TextInput({**TEXT_ATTRIBUTES, "class": "nhsuk-input--width-10"})
        super().__init__(widget=widget, **options)

    def clean(self, value: Any) -> Any:
        try:
            return validity_day(super().clean(value))
        except InvalidValue as wrong:
            raise forms.ValidationError(wrong.detail) from wrong

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Returns whether the day differs; one day in another spelling is no change."""
        try:
            return bool(self.clean(initial) != self.clean(data))
        except forms.ValidationError:
            return super().has_changed(initial, data)


def day_in_box(value: date | None) -> str:
    """Returns what one box shows for a stored day."""
    return f"{value:%d-%b-%Y}" if value else ""
