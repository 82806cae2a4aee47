"""The text of the search box as a first guess at the fields of a new patient."""

from typing import Any

from portal.patients.search.dates import DateSpan, parse_date_span
from portal.patients.search.typed_name import split_ends
from portal.patients.search.typed_text import read_typed, split_record_numbers


def prefill_fields(text: str) -> dict[str, Any]:
    """Returns form fields: a name, family name first, a date of birth, a phone or an identifier.

    A name may stand before or after one of the others.
    """
    _, text = split_record_numbers(read_typed(text))
    words = [word.strip(",;()") for word in text.split()]
    words = [word for word in words if word]
    if fields := _number_fields(" ".join(words)):
        return fields
    for names, rest in split_ends(words):
        if all(_has_letters(word) for word in names) and (fields := _number_fields(rest)):
            return _name_fields(names) | fields
    return _name_fields(words)


def _number_fields(text: str) -> dict[str, Any]:
    if span := parse_date_span(text):
        return {"date_of_birth": _date_inputs(span)}
    if sum(character.isdigit() for character in text) <= len(text) / 2:
        return {}
    if not _has_letters(text):
        return {"phone": text}
    return {} if " " in text else {"identifiers": [{"value": text}]}


def _date_inputs(span: DateSpan) -> list[str]:
    """Returns day, month and year; a month has no day, and a year has neither."""
    first, last = span.first, span.last
    day = str(first.day) if first == last else ""
    month = str(first.month) if first.month == last.month else ""
    return [day, month, str(first.year)]


def _has_letters(text: str) -> bool:
    return any(character.isalpha() for character in text)


def _name_fields(words: list[str]) -> dict[str, str]:
    family, _, given = " ".join(words).replace(",", " ").partition(" ")
    if not family:
        return {}
    return {"family_name": _capitalise(family), "given_name": _capitalise(given)}


def _capitalise(name: str) -> str:
    return name.title() if name == name.lower() else name
