"""What a column takes: its longest text and its choices, and the fault of a value."""

from collections.abc import Iterable
from functools import cache
from typing import cast

from django.db.models import CharField, Model

from portal.patients.models import Patient
from portal.text import clean_text, is_damaged


class InvalidValue(ValueError):
    """The fault of one field: a code for programs and a message for people."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code)
        self.code, self.detail = code, detail


def clean_value(text: str) -> str:
    """Returns the cleaned text; InvalidValue if it is damaged."""
    text = clean_text(text)
    if is_damaged(text):
        raise InvalidValue("control-characters", "Remove the control characters.")
    return text


@cache
def max_length_of(model: type[Model], name: str) -> int:
    """Returns how many characters a text column takes."""
    column = cast("CharField[str, str]", model._meta.get_field(name))
    return column.max_length or 0


def choices_of(name: str) -> list[tuple[str, str]]:
    """Returns the values of a patient's column, each with its label."""
    column = cast("CharField[str, str]", Patient._meta.get_field(name))
    return list(cast("Iterable[tuple[str, str]]", column.choices or ()))


@cache
def values_of(name: str) -> tuple[str, ...]:
    """Returns the values alone."""
    return tuple(value for value, _label in choices_of(name))
