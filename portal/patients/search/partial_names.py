"""Names that are parted otherwise than they were typed, or that lack a typed word."""

import re
from collections.abc import Iterator
from itertools import combinations

from portal.patients.names.titles import SMALL_WORDS
from portal.patients.names.vocabulary import word_query
from portal.patients.normalize import fold, split_characters
from portal.patients.search import tuning
from portal.patients.search.conditions import Condition, any_of, has_words, prefix_range
from portal.patients.search.interpretation import FoundPatient, QueryInterpretation
from portal.patients.search.typed_name import TypedName

_ARTICLE = "\u0627\u0644"  # al- in Arabic, as in \u0627\u0644\u0647\u0627\u0634\u0645\u064a
_SERVANT = "\u0639\u0628\u062f"  # abd in Arabic, which is parted from the next word or not
_ARABIC = re.compile("[\u0620-\u064a]{3,}")


def word_forms(word: str) -> list[str]:
    """Returns the beginnings of words that a typed one stands for: Arabic ones lack the article."""
    if not _ARABIC.match(word):
        return [f"{word}*"]
    bare = word.removeprefix(_ARTICLE)
    return [f"{bare}*", f"{_ARTICLE}{bare}*"] if len(bare) > 1 else [f"{word}*"]


def as_parted_otherwise(name: TypedName) -> Iterator[QueryInterpretation]:
    """Finds `de la cruz` in Delacruz, 小明 in 王小明, and `abdulrahman` of Arabic in two words."""
    words = name.words
    if joined := _with_words_joined(words):
        yield _interpretation("joined", joined, name)
    characters = split_characters(" ".join(words)).split()
    if len(characters) > len(words):
        yield _interpretation("characters", [[[character] for character in characters]], name)
    if parted := _with_servant_parted(words):
        yield _interpretation("parted", [[word_forms(word) for word in parted]], name)


def _interpretation(
    key: str, queries: list[list[list[str]]], name: TypedName
) -> QueryInterpretation:
    condition = any_of(has_words(word_query(groups)) for groups in queries)
    return QueryInterpretation(
        key,
        name.narrow(condition),
        lambda patient: name.with_narrowing("Name", patient),
        needs_identifiers=name.narrowed_by is not None,
        is_narrowed=name.narrowed_by is not None,
    )


def _with_words_joined(words: list[str]) -> list[list[list[str]]]:
    """Returns the words with two or three neighbours as one, as groups for `word_query`."""
    queries = []
    for size in tuning.SEARCH.joined_neighbours:
        for at in range(len(words) - size + 1):
            parts = [*words[:at], "".join(words[at : at + size]), *words[at + size :]]
            queries.append([[f"{part}*"] for part in parts])
    return queries


def _with_servant_parted(words: list[str]) -> list[str]:
    """Returns the words with each Arabic name of `abd` and a word in two, or none if none is so."""
    parted: list[str] = []
    for word in words:
        is_two = word.startswith(_SERVANT) and len(word) > len(_SERVANT) + 1
        parted += [_SERVANT, word.removeprefix(_SERVANT)] if is_two else [word]
    return parted if len(parted) > len(words) else []


def as_partial_name(name: TypedName) -> Iterator[QueryInterpretation]:
    """Finds `jane a smith` in Jane Smith, and `garcía lorca, federico` in Federico García."""
    words = name.words

    def interpretation(key: str, condition: Condition) -> QueryInterpretation:
        def reason(patient: FoundPatient) -> str:
            return name.with_narrowing(_without_reason(patient, words), patient)

        return QueryInterpretation(
            key,
            name.narrow(condition),
            reason,
            is_partial=True,
            needs_identifiers=name.narrowed_by is not None,
            is_narrowed=name.narrowed_by is not None,
        )

    if len(words) >= tuning.SEARCH.min_words_with_middle:
        without_middle = prefix_range("sort_key", f"{words[-1]} {words[0]}", is_whole=True)
        yield interpretation("middle", without_middle)
        if len(words[-1]) == 1:
            without_initial = prefix_range("sort_key", " ".join(words[:-1]), is_whole=True)
            yield interpretation("initial", without_initial)
    large = [word for word in words if word not in SMALL_WORDS]
    if fewer := [*_fewer_words(words, large)]:
        queries = (word_query([word_forms(word) for word in left]) for left in fewer)
        yield interpretation("partial", any_of(map(has_words, queries)))


def _fewer_words(words: list[str], large: list[str]) -> Iterator[list[str]]:
    """Yields the words without the small ones, and those without one or two more of them.

    At least two words are left, so that no other person of a single name is found.
    """
    if large and len(large) < len(words):
        yield large
    most = min(tuning.SEARCH.most_words_lacking, len(large) - 2)
    for dropped in range(1, most + 1):
        for left in combinations(large, len(large) - dropped):
            if all(len(word) > 1 for word in left):
                yield list(left)


def _without_reason(patient: FoundPatient, words: list[str]) -> str:
    """Returns which of the typed words the record lacks."""
    listed = _words_of(
        patient.family_name, patient.given_name, patient.middle_name, patient.preferred_name
    )
    lacking = [word for word in words if not _has_beginnings([word], listed)]
    return f"Name without {' '.join(lacking).title()}" if lacking else "Name"


def name_reason(patient: FoundPatient, name: TypedName) -> str:
    """Returns `Name`, or the middle or preferred name, which lists do not show beside it."""
    reason = "Name"
    listed = _words_of(patient.family_name, patient.given_name)
    if not _has_beginnings(name.words, listed) and "".join(name.words) not in listed:
        middle, preferred = patient.middle_name, patient.preferred_name
        if middle and _has_beginnings(name.words, f"{listed} {_words_of(middle)}"):
            reason = f"Middle name {middle}"
        elif preferred and _has_beginnings(
            name.words, f"{listed} {_words_of(middle)} {_words_of(preferred)}"
        ):
            reason = f"Also called {preferred}"
    return name.with_narrowing(reason, patient)


def _has_beginnings(words: list[str], names: str) -> bool:
    return all(f" {word}" in f" {names}" for word in words)


def _words_of(*names: str) -> str:
    """Returns the folded words of the names, each name as one word, and all as one word."""
    folded = [fold(name) for name in names]
    joined = [name.replace(" ", "") for name in folded]
    return " ".join([*folded, *joined, "".join(joined)])
