"""Fuzzy search: patients whose names sound like the typed ones, or are a slip away from them."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any
from uuid import UUID

from portal.patients.names.vocabulary import (
    SimilarWord,
    find_similar_to_each,
    find_similar_words,
    is_long_enough,
    word_query,
)
from portal.patients.normalize import fold
from portal.patients.search import tuning
from portal.patients.search.candidates import (
    Bearer,
    NameCandidate,
    close_words,
    find_bearers_of_each,
    find_commoner_names,
    join_words,
    rank_candidates,
)
from portal.patients.search.conditions import Condition, has_words, read_rows
from portal.patients.search.hits import read_patients
from portal.patients.search.interpretation import SORTED_ORDER
from portal.patients.search.statements import Reader, reader_of
from portal.patients.search.typed_name import TypedName

# A patient, and the word of the name that differs most from what was typed.
FuzzyHit = tuple[UUID, SimilarWord]
SimilarWords = list[list[SimilarWord]]  # Of each typed word.
Names = list[list[Any]]  # Of each patient the id, then family, given, middle and preferred name.

_NAMES = f"""
    SELECT name_words @@ to_tsquery('simple', %s),
        id, family_name, given_name, middle_name, preferred_name
    FROM patients_patient WHERE {{patients}} ORDER BY {SORTED_ORDER.sql}, id LIMIT %s
"""  # noqa: S608 - constants


def find_fuzzy_hits(
    patients: Condition, name: TypedName, *, limit: int, has_exact_hits: bool
) -> list[tuple[UUID, str]]:
    """Returns at most `limit` patients that are no exact hits, the likely ones first, with reasons.

    With exact hits, few places are left on the first page: then each name gets one of them, and
    names far from the typed one are left out.
    """
    similar, joined = _similar_words(name.words)
    exact = has_words(word_query([[f"{word}*"] for word in name.words]))
    inexact = name.narrow(patients) & exact.opposite
    names_tried = tuning.SEARCH.names_tried
    if name.narrowed_by:
        names_tried //= 2  # All bearers of a name may be walked past to find one of a day.
    ranked = rank_candidates(name.words, similar, joined)[:names_tried]
    names = [candidate for candidate, _ in ranked]
    hits: dict[UUID, SimilarWord] = {}
    are_few = name.narrowed_by is not None
    read = read_rows if are_few else reader_of(patients)
    places = _places(len(names), one_each=has_exact_hits)
    if are_few:
        bearers = find_bearers_of_each(read, inexact, names, [limit] * len(names), are_few=True)
    else:
        bearers = _bearers_of(read, inexact, ranked, places, limit)
    _add_hits(hits, _hits_by_name(names, bearers, places), limit)
    enough = min(limit, tuning.SEARCH.enough_name_hits)
    close = [close_words(words) for words in similar]
    choices = [close] if has_exact_hits else [close, similar]
    by_word = _names_by_word(read, inexact, name.words, choices)
    for words, rows in by_word if len(hits) < enough else []:
        _add_hits(hits, _rank_by_word(rows, name.words, words), limit)
        if len(hits) >= enough:
            break
    if name.narrowed_by is None:
        return [(patient_id, reason_of(word)) for patient_id, word in hits.items()]
    by_id = read_patients(patients, hits, needs_identifiers=True)
    return [
        (patient_id, name.with_narrowing(reason_of(word), by_id[patient_id]))
        for patient_id, word in hits.items()
    ]


def may_be_misspelt(name: TypedName) -> bool:
    """Returns whether the vocabulary may have other words for the typed ones."""
    return any(map(is_long_enough, [*name.words, join_words(name.words)]))


def _similar_words(words: list[str]) -> tuple[list[list[SimilarWord]], list[SimilarWord]]:
    """Returns the similar words of each word, and those of all words joined."""
    asked = [*words, join_words(words)]
    *similar, joined = find_similar_to_each(asked, limit=tuning.SEARCH.similar_words)
    return similar, joined[: tuning.SEARCH.similar_joined_words]


def find_commoner_hits(patients: Condition, name: TypedName) -> dict[UUID, tuple[SimilarWord, str]]:
    """Returns a few bearers of names one slip away that are commoner than the typed beginning.

    Each comes with the word that differs and the place in the list.
    """
    if len(name.words) > 1 or name.narrowed_by:
        return {}
    word, wanted = name.words[0], tuning.SEARCH.commoner_hits
    similar = find_similar_words(word, limit=tuning.SEARCH.similar_words)
    names = find_commoner_names(word, similar)[:wanted]
    hits_each = wanted // max(len(names), 1)
    read = reader_of(patients)
    limits = [hits_each] * len(names)
    bearers = find_bearers_of_each(read, patients, names, limits, are_few=False)
    return {
        patient_id: (candidate.differing, place)
        for candidate, its_bearers in zip(names, bearers, strict=True)
        for patient_id, place in its_bearers
    }


def reason_of(word: SimilarWord) -> str:
    """Returns why a patient whose name has this word is shown."""
    how = "One letter off" if word.edits == 1 else "Two letters off"
    if word.sounds_alike:
        how = "Sounds alike"
    return f"{how}: {word.word.capitalize()}"


def _add_hits(hits: dict[UUID, SimilarWord], more: Iterable[FuzzyHit], limit: int) -> None:
    for patient_id, word in more:
        hits.setdefault(patient_id, word)
        if len(hits) >= limit:
            break


def _places(count: int, *, one_each: bool) -> list[int]:
    """Returns how many bearers of each name come before all others."""
    first = [] if one_each else tuning.SEARCH.hits_per_name[:count]
    return [*first, *[1] * (count - len(first))]


def _bearers_of(
    read: Reader,
    patients: Condition,
    ranked: Sequence[tuple[NameCandidate, int]],
    places: list[int],
    limit: int,
) -> list[list[Bearer]]:
    """Returns as many of the first bearers of each name as the hits may need.

    Where the first name is so common that its bearers fill all places, the others need few.
    """
    names = [candidate for candidate, _ in ranked]
    if ranked and ranked[0][1] >= limit:
        limits = [limit, *places[1:]]
        bearers = find_bearers_of_each(read, patients, names, limits, are_few=False)
        if len(bearers[0]) == limit:
            return bearers
    return find_bearers_of_each(read, patients, names, [limit] * len(names), are_few=False)


def _hits_by_name(
    names: list[NameCandidate], bearers: list[list[Bearer]], places: list[int]
) -> Iterator[FuzzyHit]:
    """Yields the first bearers of each name, so that none hides the others, then all of them."""
    hits_by_name: list[list[FuzzyHit]] = []
    for name, its_bearers, its_places in zip(names, bearers, places, strict=True):
        hits = [(patient_id, name.differing) for patient_id, _ in its_bearers]
        yield from hits[:its_places]
        hits_by_name.append(hits)
    yield from chain.from_iterable(hits_by_name)


def _names_by_word(
    read: Reader, patients: Condition, words: list[str], choices: list[SimilarWords]
) -> Iterator[tuple[SimilarWords, Names]]:
    """Yields each choice of similar words with the patients who have them in any name.

    Thus a middle name is found, or the Berg of van der Berg. The last choice is the widest: where
    its patients are few, they are all read at once, and those of the first choice are among them.
    """
    choices = [similar for similar in choices if any(similar)]
    if not choices:
        return
    first, widest = choices[0], choices[-1]
    rows = _read_names(read, patients, words, widest, first)
    if first is not widest:
        are_all = len(rows) < tuning.SEARCH.max_compared_rows
        of_first = rows if are_all else _read_names(read, patients, words, first, first)
        yield first, [names for has_first, *names in of_first if has_first]
    yield widest, [names for _, *names in rows]


def _read_names(
    read: Reader, patients: Condition, words: list[str], wanted: SimilarWords, first: SimilarWords
) -> list[tuple[Any, ...]]:
    """Returns who has a wanted word for each typed one: do they have one of `first`, id, names."""
    found = patients & has_words(_query_of(words, wanted))
    values = [_query_of(words, first), *found.values, tuning.SEARCH.max_compared_rows]
    return read(_NAMES.format(patients=found.sql), values)


def _query_of(words: list[str], similar: SimilarWords) -> str:
    groups = [
        [f"{word}*", *(replacement.word for replacement in replacements)]
        for word, replacements in zip(words, similar, strict=True)
    ]
    return word_query(groups)


def _rank_by_word(rows: Names, words: list[str], similar: SimilarWords) -> list[FuzzyHit]:
    compared = [(*_compare_words(names, words, similar), patient_id) for patient_id, *names in rows]
    compared.sort(key=lambda row: row[0])
    return [(patient_id, differing) for _, differing, patient_id in compared]


def _compare_words(
    names: list[str], words: list[str], similar: list[list[SimilarWord]]
) -> tuple[float, SimilarWord]:
    """Returns how far the typed words are from these names, and the word that differs most.

    `names` are family, given, middle and preferred name.
    """
    listed, aside = fold(" ".join(names[:2])).split(), fold(" ".join(names[2:])).split()
    total, replacements = 0.0, []
    for word, choices in zip(words, similar, strict=True):
        matching = {name for name in listed + aside if name.startswith(word)}
        if not matching and choices:  # Without choices it is a character inside a word.
            present = (choice for choice in choices if choice.word in listed + aside)
            replacement = next(present, choices[-1])
            replacements.append(replacement)
            matching, total = {replacement.word}, total + replacement.cost
        if matching.isdisjoint(listed):
            total += tuning.SEARCH.aside_cost
    return total, max(replacements, key=lambda word: word.cost)
