"""Patients whose names sound like what was typed, or are a slip away from it."""

from collections import Counter
from collections.abc import Iterator
from functools import reduce
from itertools import chain, islice, product
from operator import or_

from django.db.models import QuerySet

from portal.patients.finding.readings import AFTER_FINDING, TypedName, name_query, within
from portal.patients.finding.vocabulary import Near, words_near
from portal.patients.models import Patient
from portal.patients.words import fold

TRIED = 6  # Words that one typed word is taken for.
EACH = 3  # Patients shown of each, before more are shown of any.
NAMES = 12  # Whole names that several typed words are taken for.
MOST = 100  # Patients of several words that are looked at.
ASIDE = 0.25  # What it costs to be a middle or preferred name.


def guesses(patients: QuerySet[Patient], name: TypedName, *, limit: int) -> list[tuple[Patient, str]]:
    """At most `limit` patients, the likely ones first, each with the reason; none of them is among the exact hits."""
    near = [words_near(word) for word in name.words]
    if not any(near):
        return []
    beginnings = name_query([[f"{word}*"] for word in name.words])
    others = patients.filter(name.narrowed_by).exclude(name_words=beginnings)
    found = _by_one_word(others, near[0], limit) if len(near) == 1 else _by_words(others, name.words, near)
    return [(patient, _said(one, name)) for patient, one in islice(_once(found), limit)]


def _by_one_word(patients: QuerySet[Patient], near: list[Near], limit: int) -> Iterator[tuple[Patient, Near]]:
    """First some of each word, so that none hides the others; families before given names.

    Each step is a short walk along an index, however common the name is.
    """
    found = [_bearers(patients, one, limit) for one in near[:TRIED]]
    for some in found:
        yield from islice(some, EACH)
    yield from chain.from_iterable(found)


def _bearers(patients: QuerySet[Patient], one: Near, limit: int) -> Iterator[tuple[Patient, Near]]:
    for field in ("sort_key", "given_key"):
        for patient in patients.filter(within(field, one.word, whole=True)).order_by(field, "pk")[:limit]:
            yield patient, one


def _by_words(patients: QuerySet[Patient], words: list[str], near: list[list[Near]]) -> Iterator[tuple[Patient, Near]]:
    """First who has nothing but these words for a name: there may be many others with a middle name of them."""
    whole = reduce(or_, (within("sort_key", name, whole=True) for name in _likely_names(words, near)))
    groups = [[f"{word}*", *(one.word for one in some)] for word, some in zip(words, near, strict=True)]
    rows = [*patients.filter(whole).order_by(AFTER_FINDING, "pk")[:MOST]]
    rows += patients.filter(name_words=name_query(groups)).order_by(AFTER_FINDING, "pk")[:MOST]
    judged = [(patient, *_judged(patient, words, near)) for patient in rows]
    yield from _varied([(patient, one) for patient, _, one in sorted(judged, key=lambda row: row[1])])


def _varied(found: list[tuple[Patient, Near]]) -> list[tuple[Patient, Near]]:
    """Some of each word before more of any, else as they stand."""
    seen: Counter[str] = Counter()
    first: list[tuple[Patient, Near]] = []
    rest: list[tuple[Patient, Near]] = []
    for patient, one in found:
        seen[one.word] += 1
        (first if seen[one.word] <= EACH else rest).append((patient, one))
    return first + rest


def _likely_names(words: list[str], near: list[list[Near]]) -> list[str]:
    """Texts that the words may stand for, the likely ones first, each in every turn of its words."""
    choices = [
        [(0.0, word), *((one.cost, one.word) for one in some[:TRIED])] for word, some in zip(words, near, strict=True)
    ]
    taken = sorted(islice(product(*choices), 1, 500), key=lambda choice: sum(cost for cost, _ in choice))
    names = [[word for _, word in choice] for choice in taken[:NAMES]]
    return [" ".join(name[at:] + name[:at]) for name in names for at in range(len(name))]


def _judged(patient: Patient, words: list[str], near: list[list[Near]]) -> tuple[float, Near]:
    """How far the typed words are from this patient's names, and the word that differs most."""
    plain = fold(f"{patient.family_name} {patient.given_name}").split()
    names = [*plain, *fold(f"{patient.middle_name} {patient.preferred_name}").split()]
    total, used = 0.0, []
    for word, some in zip(words, near, strict=True):
        there = [name for name in names if name.startswith(word)]
        if not there:
            one = next((one for one in some if one.word in names), some[-1])
            used.append(one)
            there, total = [one.word], total + one.cost
        total += 0 if set(there) & set(plain) else ASIDE
    return total, max(used, key=lambda one: one.cost)


def _once(found: Iterator[tuple[Patient, Near]]) -> Iterator[tuple[Patient, Near]]:
    seen = set()
    for patient, one in found:
        if patient.pk not in seen:
            seen.add(patient.pk)
            yield patient, one


def _said(one: Near, name: TypedName) -> str:
    how = "Sounds alike" if one.sounds_alike else "One letter off" if one.edits == 1 else "Two letters off"
    words = f"{how}: {one.word.capitalize()}"
    return f"{words}, {name.also}" if name.also else words
