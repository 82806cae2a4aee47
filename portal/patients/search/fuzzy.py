"""Patients whose names sound like what was typed, or are a slip away from it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice, product
from math import log
from uuid import UUID

from django.db import connection
from django.db.models import Q, QuerySet

from portal.patients.models import Patient
from portal.patients.names.vocabulary import SimilarWord, find_similar_words, name_query
from portal.patients.normalize import fold
from portal.patients.search.query import AFTER_FINDING, LAST, TypedName, prefix_range

WORDS = 80  # Words of the vocabulary that one typed word is compared with.
PLACES = (
    2,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
)  # Of the first ten, for each of the likely names, so that none hides the others.
TRIED = 12  # Names that are looked at until the list is full.
LIKELIER = 4  # Patients of commoner names among the first ten exact hits.
ENOUGH = 10  # With fewer, words inside a name are looked for too.
MOST = 100  # Patients of several words that are looked at.
ASIDE = 0.25  # What it costs to be a middle or preferred name.
Guess = tuple[UUID, SimilarWord]


TURNS = 160  # Whole names that several typed words are taken for.
COUNTED = 500  # Bearers of a name at most: of two names as common as that, either may be meant.
STEP = 4.0  # One more slip is as unlikely as a name that e^4, some 50 times as few people bear.
SEVERAL = 10  # Words that one of several typed words is taken for where another is mistyped too.
PART = 3  # A third of all who begin so makes a name likely.
PARTICLE = (
    3  # Letters of a word that may have been parted from the next one: `o brein`, `mc donld`.
)
Pick = tuple[SimilarWord | None, ...]
_COUNT = """
    SELECT CASE WHEN by_given
        THEN (SELECT count(*) FROM (SELECT FROM patients_patient
            WHERE given_key >= start COLLATE "C" AND given_key < past COLLATE "C" LIMIT %s) AS bearers)
        ELSE (SELECT count(*) FROM (SELECT FROM patients_patient
            WHERE sort_key >= start COLLATE "C" AND sort_key < past COLLATE "C" LIMIT %s) AS bearers) END
    FROM unnest(%s::text[], %s::text[], %s::boolean[]) WITH ORDINALITY AS name (start, past, by_given, at) ORDER BY at
"""


_ITSELF = SimilarWord("", 0, sounds_alike=False, cost=0)


@dataclass(frozen=True)
class NameCandidate:
    """A stretch of the list of patients, by family or by given name, and the word that differs most from the typed."""

    start: str
    near: SimilarWord
    cost: float
    field: str = "sort_key"
    whole: bool = True

    @property
    def condition(self) -> Q:
        return prefix_range(self.field, self.start, whole=self.whole)

    def likelihood(self, bearers: int) -> float:
        return log(bearers + 1) - STEP * self.cost


def candidates(words: list[str], near: list[list[SimilarWord]]) -> list[NameCandidate]:
    """Names near these words that anybody bears, the likely ones first: of few slips and many bearers.

    `near` are the words near each of them, of `words_near`.
    """
    taken = (
        [*_of_one_word(near[0])]
        if len(words) == 1
        else [*islice(_of_words(words, near), TURNS), *_joined(words)]
    )
    likely = [(one.likelihood(bearers), one) for one, bearers in bearers_of(taken) if bearers]
    return [one for _, one in sorted(likely, key=lambda row: -row[0])]


def commoner(word: str, near: list[SimilarWord]) -> list[NameCandidate]:
    """Names one slip away that more people bear than all the names that begin with this word, the commonest first.

    One that begins with it itself is commoner where it makes up a good part of those.
    """
    fields = ("sort_key", "given_key")
    begun = sum(
        count
        for _, count in bearers_of(
            [NameCandidate(word, _ITSELF, 0, one, whole=False) for one in fields]
        )
    )
    counted = bearers_of([*_of_one_word([one for one in near if one.cost <= 1])])
    names = [
        (count, one)
        for one, count in counted
        if count * (PART if one.start.startswith(word) else 1) > begun
    ]
    return [one for _, one in sorted(names, key=lambda row: -row[0])]


def bearers_of(names: list[NameCandidate]) -> list[tuple[NameCandidate, int]]:
    """How many patients each of these names finds, counted to `COUNTED`: a short walk along an index for each."""
    starts = [one.start for one in names]
    pasts = [one.start + ("!" if one.whole else LAST) for one in names]
    with connection.cursor() as cursor:
        cursor.execute(
            _COUNT, [COUNTED, COUNTED, starts, pasts, [one.field == "given_key" for one in names]]
        )
        return [(name, count) for name, (count,) in zip(names, cursor, strict=True)]


def _of_one_word(near: list[SimilarWord]) -> Iterator[NameCandidate]:
    for one in near:
        for field in ("sort_key", "given_key"):
            yield NameCandidate(one.word, one, one.cost, field)


def _joined(words: list[str]) -> Iterator[NameCandidate]:
    if len(words) <= PARTICLE and len(words[0]) <= PARTICLE:
        for one in find_similar_words("".join(words)):
            yield NameCandidate(one.word, one, one.cost)


def _of_words(words: list[str], near: list[list[SimilarWord]]) -> Iterator[NameCandidate]:
    """Each text in every turn of its words. The last word may be a mere beginning where it stands as it was typed."""
    for pick in sorted(_picks(near), key=_cost):
        text = [one.word if one else word for one, word in zip(pick, words, strict=True)]
        most = max((one for one in pick if one), key=lambda one: one.cost)
        for at in range(len(text)):
            yield NameCandidate(
                " ".join(text[at:] + text[:at]), most, _cost(pick), whole=pick[at - 1] is not None
            )


def _picks(near: list[list[SimilarWord]]) -> Iterator[Pick]:
    """Which words to replace by what: any one of them by all that is near, or several by the nearest."""
    for at, some in enumerate(near):
        for one in some:
            yield tuple(one if here == at else None for here in range(len(near)))
    nearest = [[None, *[one for one in some if one.cost <= 1][:SEVERAL]] for some in near]
    yield from (
        pick for pick in islice(product(*nearest), 1000) if len(pick) - pick.count(None) > 1
    )


def _cost(pick: Pick) -> float:
    return sum(one.cost for one in pick if one)


def find_fuzzy_hits(
    patients: QuerySet[Patient], name: TypedName, *, limit: int, few: bool
) -> list[tuple[Patient, str]]:
    """At most `limit` patients, the likely ones first, each with the reason; none of them is among the exact hits.

    With `few` places left in the first ten, each name gets one of them.
    """
    near = [find_similar_words(word, most=WORDS) for word in name.words]
    others = patients.filter(name.narrowed_by).exclude(
        name_words=name_query([[f"{word}*"] for word in name.words])
    )
    tried = (
        TRIED // 2 if name.narrowed_by else TRIED
    )  # To find somebody of a day, all of a name may be walked past.
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


def likelier(patients: QuerySet[Patient], name: TypedName) -> dict[UUID, SimilarWord]:
    """A few of names that are so much more common than what begins as it was typed that they may well be meant."""
    if len(name.words) > 1 or name.narrowed_by:
        return {}
    names = commoner(name.words[0], find_similar_words(name.words[0], most=WORDS))[:LIKELIER]
    each = LIKELIER // max(len(names), 1)
    return {one: name.near for name in names for one in bearers(patients, name, each)}


def said(one: SimilarWord, name: TypedName) -> str:
    """Why a patient of the name with this word is shown."""
    how = (
        "Sounds alike"
        if one.sounds_alike
        else "One letter off"
        if one.edits == 1
        else "Two letters off"
    )
    words = f"{how}: {one.word.capitalize()}"
    return f"{words}, {name.also}" if name.also else words


def bearers(patients: QuerySet[Patient], name: NameCandidate, limit: int) -> list[UUID]:
    """The first of this name: a short walk along an index, however common it is."""
    return list(
        patients.filter(name.condition)
        .order_by(name.field, "pk")
        .values_list("pk", flat=True)[:limit]
    )


def _by_whole_names(
    patients: QuerySet[Patient], names: list[NameCandidate], limit: int, *, few: bool
) -> Iterator[Guess]:
    """First some of each name, then the others."""
    places = dict(enumerate(() if few else PLACES))
    rest: list[Iterable[Guess]] = []
    for at, name in enumerate(names):
        some = [(one, name.near) for one in bearers(patients, name, limit)]
        yield from some[: places.get(at, 1)]
        rest.append(some)
    yield from chain.from_iterable(rest)


def _by_any_words(
    patients: QuerySet[Patient], words: list[str], near: list[list[SimilarWord]]
) -> Iterator[Guess]:
    """By words inside a name too, such as a middle name or the Berg of van der Berg."""
    groups = [
        [f"{word}*", *(one.word for one in some)] for word, some in zip(words, near, strict=True)
    ]
    names = ("pk", "family_name", "given_name", "middle_name", "preferred_name")
    rows = (
        patients.filter(name_words=name_query(groups))
        .order_by(AFTER_FINDING, "pk")
        .values_list(*names)[:MOST]
    )
    judged = [(_judged(given, words, near), one) for one, *given in rows]
    for (_, word), one in sorted(judged, key=lambda row: row[0][0]):
        yield one, word


def _judged(
    names: list[str], words: list[str], near: list[list[SimilarWord]]
) -> tuple[float, SimilarWord]:
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


def _add(
    found: dict[UUID, SimilarWord], more: Iterator[Guess], limit: int
) -> dict[UUID, SimilarWord]:
    for one, word in more:
        found.setdefault(one, word)
        if len(found) >= limit:
            break
    return found
