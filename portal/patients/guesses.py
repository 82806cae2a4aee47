"""Patients whose names sound like what was typed, or are a slip away from it."""

from collections.abc import Iterator
from itertools import islice

from django.db.models import QuerySet

from portal.patients.models import Patient
from portal.patients.readings import TypedName, in_order_of_names, name_query, within
from portal.patients.vocabulary import Near, words_near
from portal.patients.words import fold

TRIED = 6  # Words that one typed word is taken for, where nothing else narrows the search.
LOOKED_AT = 200


def guesses(patients: QuerySet[Patient], name: TypedName, *, limit: int) -> list[tuple[Patient, str]]:
    """At most `limit` patients, the likely ones first, each with the reason; none of them is among the exact hits."""
    near = [words_near(word) for word in name.words]
    if not any(near):
        return []
    beginnings = name_query([[f"{word}*"] for word in name.words])
    others = patients.filter(name.narrowed_by).exclude(name_words=beginnings)
    found = _by_one_word(others, near[0]) if len(near) == 1 else _by_words(others, name.words, near)
    return [(patient, _said(one, name)) for patient, one in islice(_once(found), limit)]


def _by_one_word(patients: QuerySet[Patient], near: list[Near]) -> Iterator[tuple[Patient, Near]]:
    """Word by word, families first: each step is a short walk along an index, however common the name is."""
    for one in near[:TRIED]:
        for field in ("sort_key", "given_key"):
            for patient in patients.filter(within(field, one.word, whole=True)).order_by(field, "pk")[:LOOKED_AT]:
                yield patient, one


def _by_words(patients: QuerySet[Patient], words: list[str], near: list[list[Near]]) -> Iterator[tuple[Patient, Near]]:
    groups = [[f"{word}*", *(one.word for one in some)] for word, some in zip(words, near, strict=True)]
    rows = in_order_of_names(patients.filter(name_words=name_query(groups)))[:LOOKED_AT]
    scored = [(patient, _worst(patient, words, near)) for patient in rows]
    for patient, (_, one) in sorted(scored, key=lambda pair: pair[1][0]):
        yield patient, one


def _worst(patient: Patient, words: list[str], near: list[list[Near]]) -> tuple[float, Near]:
    """The cost of taking all typed words for this patient's names, and the word that differs most."""
    names = fold(" ".join((patient.family_name, patient.given_name, patient.middle_name, patient.preferred_name)))
    here = names.split()
    used = [
        next((one for one in some if one.word in here), None)
        for word, some in zip(words, near, strict=True)
        if not any(name.startswith(word) for name in here)
    ]
    differing = [one for one in used if one]
    return sum(one.cost for one in differing), max(differing, key=lambda one: one.cost)


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
