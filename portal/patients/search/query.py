"""Query interpretations: what a search text may mean, judged by its shape.

Each interpretation finds patients, and says why they match.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from itertools import permutations
from operator import and_, or_

from django.db.models import Case, F, Q, TextField, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Concat

from portal.patients.models import Patient
from portal.patients.names.vocabulary import name_query
from portal.patients.normalize import fold, split_characters
from portal.patients.search import numbers, tuning
from portal.patients.search.dates import DateSpan, parse_date_span
from portal.patients.search.interpretation import (
    INDEXED_ORDER,
    SORTED_ORDER,
    QueryInterpretation,
    prefix_range,
)
from portal.patients.search.typed_text import read_typed, without_titles


@dataclass(frozen=True)
class TypedName:
    """The words of a typed name, and what narrows it: a date of birth or the end of a phone.

    `narrowing_reason` says the latter in words.
    """

    words: list[str]
    narrowed_by: Q
    narrowing_reason: str = ""


def interpret_query(text: str) -> list[QueryInterpretation]:
    """Returns every interpretation that the shape of the text allows, the most exact first.

    There are none for a text without letters and digits; an empty text means all patients.
    """
    is_empty, text = not text.strip(), read_typed(text)
    if is_empty:
        return [QueryInterpretation("", Q(), lambda _: "", INDEXED_ORDER)]
    if numbers.EMAIL.match(text):
        return [numbers.as_email(text)]
    exact = [
        *numbers.as_mrn(text),
        *numbers.as_identifier(text),
        *numbers.as_extension_number(text),
    ]
    names = _as_name(text)
    span = parse_date_span(text)
    if span and not text.isdigit():
        return [*exact, _as_birth(span), *names]
    births = [_as_birth(span)] if span else []
    tails = [*numbers.as_phone(text), *numbers.as_mrn_tail(text), *numbers.as_identifier_tail(text)]
    return [*exact, *tails, *births, *numbers.as_postal_code(text), *names]


def parse_name(text: str) -> TypedName | None:
    """Returns the text as a name, narrowed by a date or number before or after it.

    Returns None for a text without letters.
    """
    text = read_typed(text)
    parts = [part.strip(",;") for part in text.split()]
    for name_parts, rest in split_ends(parts):
        narrowing = _narrowing(rest) if _has_letters("".join(name_parts)) else None
        if narrowing:
            return TypedName(_name_words(" ".join(name_parts)), *narrowing)
    words = _name_words(text)
    return None if all(word.isdigit() for word in words) else TypedName(words, Q())


def _name_words(text: str) -> list[str]:
    return without_titles(fold(text).split())[: tuning.SEARCH.max_name_words]


def _has_letters(text: str) -> bool:
    return any(character.isalpha() for character in text)


def split_ends(words: list[str]) -> Iterator[tuple[list[str], str]]:
    """Yields words and the text after them, then words and the text before; longest text first."""
    for at in range(1, len(words)):
        yield words[:at], " ".join(words[at:])
    for at in range(len(words) - 1, 0, -1):
        yield words[at:], " ".join(words[:at])


def _narrowing(text: str) -> tuple[Q, str] | None:
    if span := parse_date_span(text):
        return _birth_condition(span), span.reason
    if phone := numbers.as_phone(text):
        return phone[0].condition, phone[0].reason(Patient())
    return None


def _as_birth(span: DateSpan) -> QueryInterpretation:
    return QueryInterpretation("born", _birth_condition(span), lambda _: span.reason)


def _birth_condition(span: DateSpan) -> Q:
    return Q(date_of_birth__gte=span.first, date_of_birth__lte=span.last)


def _as_name(text: str) -> Iterator[QueryInterpretation]:
    name = parse_name(text)
    if name is None or not name.words:
        return
    words = name.words
    order = SORTED_ORDER if name.narrowed_by else INDEXED_ORDER

    def interpretation(key: str, condition: Q, order: Combinable = order) -> QueryInterpretation:
        narrowed = condition & name.narrowed_by
        return QueryInterpretation(
            key, narrowed, lambda patient: _name_reason(patient, name), order
        )

    rotations = [" ".join(words[at:] + words[:at]) for at in range(len(words))]
    for at, prefix in enumerate(dict.fromkeys([*rotations, "".join(words)])):
        starts = prefix_range("sort_key", prefix)
        if at < tuning.SEARCH.orders_by_accent:
            yield interpretation(f"typed{at or ''}", starts & _has_accents_of(text, words))
        yield interpretation(f"name{at or ''}", starts)
    max_initial = tuning.SEARCH.max_initial_length
    if len(words) == 1:
        yield interpretation("given", prefix_range("given_key", words[0]), F("given_key"))
    elif len(words) == 2 and all(len(word) <= max_initial for word in words):
        # PostgreSQL knows the size of two ranges, and walks the list until a page is full.
        for at, (family, given) in enumerate(permutations(words)):
            initials = prefix_range("sort_key", family) & prefix_range("given_key", given)
            yield interpretation(f"initials{at}", initials)
    beginnings = Q(name_words=name_query([[f"{word}*"] for word in words]))
    yield interpretation("any", beginnings, _listed_names_first(words))
    yield from _as_parted_otherwise(name)


def _has_accents_of(text: str, words: list[str]) -> Q:
    """Returns the condition that the names have these words with the accents that were typed."""
    condition = Q()
    for typed in re.split(r"[\s,;()]+", text):
        if fold(typed) in words:
            condition &= Q(family_name__icontains=typed) | Q(given_name__icontains=typed)
    return condition


def _as_parted_otherwise(name: TypedName) -> Iterator[QueryInterpretation]:
    """Finds `de la cruz` in Delacruz, 小明 in 王小明, and `jane a smith` in Jane Smith."""
    words = name.words

    def interpretation(key: str, condition: Q, reason: str) -> QueryInterpretation:
        if name.narrowing_reason:
            reason = f"{reason}, {name.narrowing_reason}"
        return QueryInterpretation(key, condition & name.narrowed_by, lambda _: reason)

    if joined := _with_words_joined(words):
        condition = reduce(or_, (Q(name_words=name_query(groups)) for groups in joined))
        yield interpretation("joined", condition, "Name")
    characters = split_characters(" ".join(words)).split()
    if len(characters) > len(words):
        condition = Q(name_words=name_query([[character] for character in characters]))
        yield interpretation("characters", condition, "Name")
    if len(words) >= tuning.SEARCH.min_words_with_middle:
        middle = " ".join(words[1:-1])
        condition = prefix_range("sort_key", f"{words[-1]} {words[0]}", is_whole=True)
        yield interpretation("middle", condition, f"Name without {middle.title()}")
        if len(words[-1]) == 1:
            condition = prefix_range("sort_key", " ".join(words[:-1]), is_whole=True)
            yield interpretation("initial", condition, f"Name without {words[-1].upper()}")


def _with_words_joined(words: list[str]) -> list[list[list[str]]]:
    """Returns the words with two or three neighbours as one, as groups for `name_query`."""
    queries = []
    for size in tuning.SEARCH.joined_neighbours:
        for at in range(len(words) - size + 1):
            parts = [*words[:at], "".join(words[at : at + size]), *words[at + size :]]
            queries.append([[f"{part}*"] for part in parts])
    return queries


def _listed_names_first(words: list[str]) -> Combinable:
    """Orders patients whose family and given name have all words before those with another name."""
    has_word = [Q(sort_key__startswith=word) | Q(sort_key__contains=f" {word}") for word in words]
    group = Case(When(reduce(and_, has_word), then=Value("0")), default=Value("1"))
    return Concat(group, "sort_key", output_field=TextField())


def _name_reason(patient: Patient, name: TypedName) -> str:
    """Returns `Name`, or the middle or preferred name, which lists do not show beside it."""
    reason = "Name"
    listed = _words_of(patient.family_name, patient.given_name)
    if not _has_beginnings(name.words, listed) and "".join(name.words) not in listed:
        if _has_beginnings(name.words, f"{listed} {_words_of(patient.middle_name)}"):
            reason = f"Middle name {patient.middle_name}"
        else:
            reason = f"Also called {patient.preferred_name}"
    return f"{reason}, {name.narrowing_reason}" if name.narrowing_reason else reason


def _has_beginnings(words: list[str], names: str) -> bool:
    return all(f" {word}" in f" {names}" for word in words)


def _words_of(*names: str) -> str:
    """Returns the folded words of the names, each name as one word, and all as one word."""
    folded = [fold(name) for name in names]
    joined = [name.replace(" ", "") for name in folded]
    return " ".join([*folded, *joined, "".join(joined)])
