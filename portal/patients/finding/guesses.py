"""Patients whose names sound like what was typed, or are a slip away from it."""

from collections.abc import Iterable, Iterator
from itertools import chain
from uuid import UUID

from django.db.models import QuerySet

from portal.patients.finding.candidates import Candidate, candidates, commoner
from portal.patients.finding.readings import AFTER_FINDING, TypedName, name_query
from portal.patients.finding.vocabulary import Near, words_near
from portal.patients.models import Patient
from portal.patients.words import fold

WORDS = 80  # Words of the vocabulary that one typed word is compared with.
PLACES = (2, 1, 1, 1, 1, 1, 1, 1, 1)  # Of the first ten, for each of the likely names, so that none hides the others.
TRIED = 12  # Names that are looked at until the list is full.
LIKELIER = 4  # Patients of commoner names among the first ten exact hits.
ENOUGH = 10  # With fewer, words inside a name are looked for too.
MOST = 100  # Patients of several words that are looked at.
ASIDE = 0.25  # What it costs to be a middle or preferred name.
Guess = tuple[UUID, Near]


def guesses(patients: QuerySet[Patient], name: TypedName, *, limit: int, few: bool) -> list[tuple[Patient, str]]:
    """At most `limit` patients, the likely ones first, each with the reason; none of them is among the exact hits.

    With `few` places left in the first ten, each name gets one of them.
    """
    near = [words_near(word, most=WORDS) for word in name.words]
    others = patients.filter(name.narrowed_by).exclude(name_words=name_query([[f"{word}*"] for word in name.words]))
    tried = TRIED // 2 if name.narrowed_by else TRIED  # To find somebody of a day, all of a name may be walked past.
    whole = _by_whole_names(others, candidates(name.words, near)[:tried], limit, few=few)
    found = _add({}, whole, limit)
    nearest = [[one for one in each if one.cost <= 1] for each in near]
    for some in (
        (nearest,) if few else (nearest, near)
    ):  # Where the name itself is found, nobody looks for one far away.
        if len(found) < min(limit, ENOUGH) and any(some):
            _add(found, _by_any_words(others, name.words, some), limit)
    by_id = patients.in_bulk([*found])
    return [(by_id[one], said(word, name)) for one, word in found.items() if one in by_id]


def likelier(patients: QuerySet[Patient], name: TypedName) -> dict[UUID, Near]:
    """A few of names that are so much more common than what begins as it was typed that they may well be meant."""
    if len(name.words) > 1 or name.narrowed_by:
        return {}
    names = commoner(name.words[0], words_near(name.words[0], most=WORDS))[:LIKELIER]
    each = LIKELIER // max(len(names), 1)
    return {one: name.near for name in names for one in bearers(patients, name, each)}


def said(one: Near, name: TypedName) -> str:
    """Why a patient of the name with this word is shown."""
    how = "Sounds alike" if one.sounds_alike else "One letter off" if one.edits == 1 else "Two letters off"
    words = f"{how}: {one.word.capitalize()}"
    return f"{words}, {name.also}" if name.also else words


def bearers(patients: QuerySet[Patient], name: Candidate, limit: int) -> list[UUID]:
    """The first of this name: a short walk along an index, however common it is."""
    return list(patients.filter(name.condition).order_by(name.field, "pk").values_list("pk", flat=True)[:limit])


def _by_whole_names(patients: QuerySet[Patient], names: list[Candidate], limit: int, *, few: bool) -> Iterator[Guess]:
    """First some of each name, then the others."""
    places = dict(enumerate(() if few else PLACES))
    rest: list[Iterable[Guess]] = []
    for at, name in enumerate(names):
        some = [(one, name.near) for one in bearers(patients, name, limit)]
        yield from some[: places.get(at, 1)]
        rest.append(some)
    yield from chain.from_iterable(rest)


def _by_any_words(patients: QuerySet[Patient], words: list[str], near: list[list[Near]]) -> Iterator[Guess]:
    """By words inside a name too, such as a middle name or the Berg of van der Berg."""
    groups = [[f"{word}*", *(one.word for one in some)] for word, some in zip(words, near, strict=True)]
    names = ("pk", "family_name", "given_name", "middle_name", "preferred_name")
    rows = patients.filter(name_words=name_query(groups)).order_by(AFTER_FINDING, "pk").values_list(*names)[:MOST]
    judged = [(_judged(given, words, near), one) for one, *given in rows]
    for (_, word), one in sorted(judged, key=lambda row: row[0][0]):
        yield one, word


def _judged(names: list[str], words: list[str], near: list[list[Near]]) -> tuple[float, Near]:
    """How far the typed words are from these names, and the word that differs most."""
    plain, aside = fold(" ".join(names[:2])).split(), fold(" ".join(names[2:])).split()
    total, used = 0.0, []
    for word, some in zip(words, near, strict=True):
        there = [name for name in plain + aside if name.startswith(word)]
        if not there:
            one = next((one for one in some if one.word in plain + aside), some[-1])
            used.append(one)
            there, total = [one.word], total + one.cost
        total += 0 if set(there) & set(plain) else ASIDE
    return total, max(used, key=lambda one: one.cost)


def _add(found: dict[UUID, Near], more: Iterator[Guess], limit: int) -> dict[UUID, Near]:
    for one, word in more:
        found.setdefault(one, word)
        if len(found) >= limit:
            break
    return found
