"""Names that mistyped words may stand for, out of those that somebody bears: the likely ones first."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, product
from math import log

from django.db import connection
from django.db.models import Q

from portal.patients.finding.readings import LAST, within
from portal.patients.finding.vocabulary import Near, words_near

TURNS = 160  # Whole names that several typed words are taken for.
COUNTED = 500  # Bearers of a name at most: of two names as common as that, either may be meant.
STEP = 4.0  # One more slip is as unlikely as a name that e^4, some 50 times as few people bear.
SEVERAL = 10  # Words that one of several typed words is taken for where another is mistyped too.
PART = 3  # A third of all who begin so makes a name likely.
PARTICLE = 3  # Letters of a word that may have been parted from the next one: `o brein`, `mc donld`.
Pick = tuple[Near | None, ...]
_COUNT = """
    SELECT CASE WHEN by_given
        THEN (SELECT count(*) FROM (SELECT FROM patients_patient
            WHERE given_key >= start COLLATE "C" AND given_key < past COLLATE "C" LIMIT %s) AS bearers)
        ELSE (SELECT count(*) FROM (SELECT FROM patients_patient
            WHERE sort_key >= start COLLATE "C" AND sort_key < past COLLATE "C" LIMIT %s) AS bearers) END
    FROM unnest(%s::text[], %s::text[], %s::boolean[]) WITH ORDINALITY AS name (start, past, by_given, at) ORDER BY at
"""


_ITSELF = Near("", 0, sounds_alike=False, cost=0)


@dataclass(frozen=True)
class Candidate:
    """A stretch of the list of patients, by family or by given name, and the word that differs most from the typed."""

    start: str
    near: Near
    cost: float
    field: str = "sort_key"
    whole: bool = True

    @property
    def condition(self) -> Q:
        return within(self.field, self.start, whole=self.whole)

    def likelihood(self, bearers: int) -> float:
        return log(bearers + 1) - STEP * self.cost


def candidates(words: list[str], near: list[list[Near]]) -> list[Candidate]:
    """Names near these words that anybody bears, the likely ones first: of few slips and many bearers.

    `near` are the words near each of them, of `words_near`.
    """
    taken = [*_of_one_word(near[0])] if len(words) == 1 else [*islice(_of_words(words, near), TURNS), *_joined(words)]
    likely = [(one.likelihood(bearers), one) for one, bearers in bearers_of(taken) if bearers]
    return [one for _, one in sorted(likely, key=lambda row: -row[0])]


def commoner(word: str, near: list[Near]) -> list[Candidate]:
    """Names one slip away that more people bear than all the names that begin with this word, the commonest first.

    One that begins with it itself is commoner where it makes up a good part of those.
    """
    fields = ("sort_key", "given_key")
    begun = sum(count for _, count in bearers_of([Candidate(word, _ITSELF, 0, one, whole=False) for one in fields]))
    counted = bearers_of([*_of_one_word([one for one in near if one.cost <= 1])])
    names = [(count, one) for one, count in counted if count * (PART if one.start.startswith(word) else 1) > begun]
    return [one for _, one in sorted(names, key=lambda row: -row[0])]


def bearers_of(names: list[Candidate]) -> list[tuple[Candidate, int]]:
    """How many patients each of these names finds, counted to `COUNTED`: a short walk along an index for each."""
    starts = [one.start for one in names]
    pasts = [one.start + ("!" if one.whole else LAST) for one in names]
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, [COUNTED, COUNTED, starts, pasts, [one.field == "given_key" for one in names]])
        return [(name, count) for name, (count,) in zip(names, cursor, strict=True)]


def _of_one_word(near: list[Near]) -> Iterator[Candidate]:
    for one in near:
        for field in ("sort_key", "given_key"):
            yield Candidate(one.word, one, one.cost, field)


def _joined(words: list[str]) -> Iterator[Candidate]:
    if len(words) <= PARTICLE and len(words[0]) <= PARTICLE:
        for one in words_near("".join(words)):
            yield Candidate(one.word, one, one.cost)


def _of_words(words: list[str], near: list[list[Near]]) -> Iterator[Candidate]:
    """Each text in every turn of its words. The last word may be a mere beginning where it stands as it was typed."""
    for pick in sorted(_picks(near), key=_cost):
        text = [one.word if one else word for one, word in zip(pick, words, strict=True)]
        most = max((one for one in pick if one), key=lambda one: one.cost)
        for at in range(len(text)):
            yield Candidate(" ".join(text[at:] + text[:at]), most, _cost(pick), whole=pick[at - 1] is not None)


def _picks(near: list[list[Near]]) -> Iterator[Pick]:
    """Which words to replace by what: any one of them by all that is near, or several by the nearest."""
    for at, some in enumerate(near):
        for one in some:
            yield tuple(one if here == at else None for here in range(len(near)))
    nearest = [[None, *[one for one in some if one.cost <= 1][:SEVERAL]] for some in near]
    yield from (pick for pick in islice(product(*nearest), 1000) if len(pick) - pick.count(None) > 1)


def _cost(pick: Pick) -> float:
    return sum(one.cost for one in pick if one)
