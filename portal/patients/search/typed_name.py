"""A typed name: its words, and the date or number beside it that narrows it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from portal.patients.normalize import fold
from portal.patients.search import numbers, tuning
from portal.patients.search.conditions import Condition
from portal.patients.search.dates import DateSpan, parse_date_span
from portal.patients.search.interpretation import FoundPatient
from portal.patients.search.typed_text import read_typed, split_record_numbers, without_titles


@dataclass(frozen=True)
class TypedName:
    """The words of a typed name, and what narrows it: a date of birth or a number.

    `narrowing_reason` says of a patient in words which it is.
    """

    words: list[str]
    narrowed_by: Condition | None = None
    narrowing_reason: Callable[[FoundPatient], str] | None = None

    def narrow(self, condition: Condition) -> Condition:
        """Returns the condition with that of the narrowing, if there is any."""
        return condition & self.narrowed_by if self.narrowed_by else condition

    def with_narrowing(self, reason: str, patient: FoundPatient) -> str:
        """Returns the reason with that of the narrowing, if there is any."""
        if self.narrowing_reason is None:
            return reason
        return f"{reason}, {self.narrowing_reason(patient)}"


def parse_name(text: str) -> TypedName | None:
    """Returns the text as a name, narrowed by a date or number before or after it.

    Returns None for a text without letters.
    """
    _, text = split_record_numbers(read_typed(text))
    parts = [part for part in (part.strip(",;()[]") for part in text.split()) if part]
    for name_parts, rest in split_ends(parts):
        narrowing = _narrowing(rest) if _has_letters("".join(name_parts)) else None
        if narrowing:
            return TypedName(_name_words(" ".join(name_parts)), *narrowing)
    words = _name_words(text)
    return None if all(word.isdigit() for word in words) else TypedName(words)


def _name_words(text: str) -> list[str]:
    return without_titles(fold(text).split())[: tuning.SEARCH.max_name_words]


def _has_letters(text: str) -> bool:
    return any(character.isalpha() for character in text)


def split_ends(words: list[str]) -> Iterator[tuple[list[str], str]]:
    """Yields words and the text after them, then words and the text before; longest text first.

    The text is as long as a date or a phone may be.
    """
    most = tuning.SEARCH.max_narrowing_words
    for at in range(max(1, len(words) - most), len(words)):
        yield words[:at], " ".join(words[at:])
    for at in range(min(most, len(words) - 1), 0, -1):
        yield words[at:], " ".join(words[:at])


def _narrowing(text: str) -> tuple[Condition, Callable[[FoundPatient], str]] | None:
    if not any(character.isdigit() for character in text):
        return _birth_narrowing(parse_date_span(text))
    return _birth_narrowing(parse_date_span(text)) or numbers.narrow_by_number(text)


def _birth_narrowing(
    span: DateSpan | None,
) -> tuple[Condition, Callable[[FoundPatient], str]] | None:
    if span is None:
        return None
    return birth_condition(span), lambda _: span.reason


def birth_condition(span: DateSpan) -> Condition:
    """Returns the condition that a patient is born on one of these days."""
    return Condition("(date_of_birth >= %s AND date_of_birth <= %s)", (span.first, span.last))
