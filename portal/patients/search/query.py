"""Query interpretations: what a search text may mean, judged by its shape.

Each interpretation finds patients, and says why they match.
"""

import re
from collections.abc import Callable, Iterator
from itertools import permutations

from portal.patients.names.vocabulary import word_query
from portal.patients.normalize import fold
from portal.patients.search import numbers, tuning
from portal.patients.search.conditions import (
    ALWAYS,
    Condition,
    all_of,
    has_words,
    prefix_range,
)
from portal.patients.search.dates import DateSpan, parse_date_span
from portal.patients.search.interpretation import (
    INDEXED_ORDER,
    SORTED_ORDER,
    FoundPatient,
    QueryInterpretation,
)
from portal.patients.search.partial_names import (
    as_parted_otherwise,
    as_partial_name,
    name_reason,
    word_forms,
)
from portal.patients.search.typed_name import birth_condition, parse_name
from portal.patients.search.typed_text import find_email, read_typed, split_record_numbers


def interpret_query(text: str) -> list[QueryInterpretation]:
    """Returns every interpretation that the shape of the text allows, the most exact first.

    There are none for a text without letters and digits; an empty text means all patients.
    """
    is_empty, text = not text.strip(), read_typed(text)
    if is_empty:
        return [QueryInterpretation("", ALWAYS, lambda _: "", INDEXED_ORDER)]
    if address := find_email(text):
        return [numbers.as_email(address)]
    record_numbers, text = split_record_numbers(text)
    if record_numbers:
        return [*numbers.as_mrn(record_numbers[0]), *_as_name(text)]
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


def _as_birth(span: DateSpan) -> QueryInterpretation:
    return QueryInterpretation("born", birth_condition(span), lambda _: span.reason)


def _as_name(text: str) -> Iterator[QueryInterpretation]:
    name = parse_name(text)
    if name is None or not name.words:
        return
    words = name.words
    order = SORTED_ORDER if name.narrowed_by else INDEXED_ORDER

    def is_listed(patient: FoundPatient) -> str:  # The words begin words of the listed name.
        return name.with_narrowing("Name", patient)

    def interpretation(
        key: str,
        condition: Condition,
        order: Condition = order,
        reason: Callable[[FoundPatient], str] = is_listed,
        **how: bool,
    ) -> QueryInterpretation:
        return QueryInterpretation(
            key,
            name.narrow(condition),
            reason,
            order,
            needs_identifiers=name.narrowed_by is not None,
            is_narrowed=name.narrowed_by is not None,
            **how,
        )

    rotations = [" ".join(words[at:] + words[:at]) for at in range(len(words))]
    for at, prefix in enumerate(dict.fromkeys([*rotations, "".join(words)])):
        starts = prefix_range("sort_key", prefix)
        if at < tuning.SEARCH.orders_by_accent:
            has_accents = starts & _has_accents_of(text, words)
            yield interpretation(f"typed{at or ''}", has_accents, is_within_next=True)
        yield interpretation(f"name{at or ''}", starts)
    max_initial = tuning.SEARCH.max_initial_length
    if len(words) == 1:
        yield interpretation("given", prefix_range("given_key", words[0]), Condition("given_key"))
    elif len(words) == 2 and all(len(word) <= max_initial for word in words):
        # PostgreSQL knows the size of two ranges, and walks the list until a page is full.
        for at, (family, given) in enumerate(permutations(words)):
            initials = prefix_range("sort_key", family) & prefix_range("given_key", given)
            yield interpretation(f"initials{at}", initials, is_planned_once=False)
    beginnings = has_words(word_query([word_forms(word) for word in words]))
    yield interpretation(
        "any", beginnings, _listed_names_first(words), lambda patient: name_reason(patient, name)
    )
    yield from as_parted_otherwise(name)
    yield from as_partial_name(name)


_IS_IN_NAME = """
    (strpos(upper(family_name), upper(%s)) > 0 OR strpos(upper(given_name), upper(%s)) > 0)
"""
_IS_LISTED = "(starts_with(sort_key, %s) OR strpos(sort_key, %s) > 0)"


def _has_accents_of(text: str, words: list[str]) -> Condition:
    """Returns the condition that the names have these words with the accents that were typed."""
    typed_words = dict.fromkeys(re.split(r"[\s,;()]+", text))
    return all_of(
        Condition(_IS_IN_NAME, (typed, typed)) for typed in typed_words if fold(typed) in words
    )


def _listed_names_first(words: list[str]) -> Condition:
    """Orders patients whose family and given name have all words before those with another name."""
    listed = all_of(Condition(_IS_LISTED, (word, f" {word}")) for word in words)
    return Condition(f"CASE WHEN {listed.sql} THEN '0' ELSE '1' END || sort_key", listed.values)
