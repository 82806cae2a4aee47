"""Name candidates: the names that may be meant by mistyped or misheard words, and the likely ones.

The vocabulary gives the words that are similar to a typed one. Few slips and many bearers make a
candidate likely.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, product
from math import log
from uuid import UUID

from portal.patients.names.vocabulary import SimilarWord
from portal.patients.search import tuning
from portal.patients.search.conditions import (
    END_OF_WORD,
    LAST_CHARACTER,
    Condition,
    any_of,
    prefix_range,
)
from portal.patients.search.statements import Reader
from portal.prepared import execute_prepared

# For each typed word the word that replaces it; None keeps the typed one.
Replacement = tuple[SimilarWord | None, ...]

_NAME_FIELDS = ("sort_key", "given_key")
# Counts the bearers of many names at once: a short walk along an index for each.
_COUNT_BEARERS = """
    (bigint, text[], text[], boolean[]) AS
    SELECT CASE WHEN by_given
        THEN (SELECT count(*) FROM (SELECT FROM patients_patient
            WHERE given_key >= start COLLATE "C" AND given_key < past COLLATE "C"
            LIMIT $1) AS bearers)
        ELSE (SELECT count(*) FROM (SELECT FROM patients_patient
            WHERE sort_key >= start COLLATE "C" AND sort_key < past COLLATE "C"
            LIMIT $1) AS bearers) END
    FROM unnest($2, $3, $4) WITH ORDINALITY AS name (start, past, by_given, at)
    ORDER BY at
"""
# The first bearers of many names, likewise.
_FIRST_BEARERS = """
    SELECT at, id, sort_key FROM unnest(%s::text[], %s::text[], %s::boolean[], %s::bigint[])
        WITH ORDINALITY AS name (start, past, by_given, most, at)
    CROSS JOIN LATERAL (
        (SELECT id, sort_key, sort_key AS place FROM patients_patient
        WHERE NOT by_given AND sort_key >= start COLLATE "C" AND sort_key < past COLLATE "C"
            AND {patients}
        ORDER BY sort_key, id LIMIT most)
        UNION ALL
        (SELECT id, sort_key, given_key AS place FROM patients_patient
        WHERE by_given AND given_key >= start COLLATE "C" AND given_key < past COLLATE "C"
            AND {patients}
        ORDER BY given_key, id LIMIT most)
    ) AS bearer
    ORDER BY at, place, id
"""
# The same for names that something narrows. The database has to know how common they are, to choose
# between the index of names and that of what narrows them.
_FIRST_FEW_BEARERS = """
    WITH bearer AS MATERIALIZED (
        SELECT id, sort_key, given_key FROM patients_patient WHERE {patients} AND {has_name}
    )
    SELECT at, found.id, sort_key
    FROM unnest(%s::text[], %s::text[], %s::boolean[], %s::bigint[])
        WITH ORDINALITY AS name (start, past, by_given, most, at)
    CROSS JOIN LATERAL (
        SELECT id, sort_key, CASE WHEN by_given THEN given_key ELSE sort_key END AS place
        FROM bearer
        WHERE CASE WHEN by_given THEN given_key ELSE sort_key END >= start COLLATE "C"
            AND CASE WHEN by_given THEN given_key ELSE sort_key END < past COLLATE "C"
        ORDER BY place, id LIMIT most
    ) AS found
    ORDER BY at, place, id
"""
# A patient's id and place in the list.
Bearer = tuple[UUID, str]


@dataclass(frozen=True)
class NameCandidate:
    """A name that may be meant: all who are listed under it, by family or by given name.

    `differing` is the word that differs most from the typed one. Without `is_whole`, the last
    word of `start` may be the beginning of a longer one.
    """

    start: str
    differing: SimilarWord
    cost: float
    field: str = "sort_key"
    is_whole: bool = True

    @property
    def condition(self) -> Condition:
        return prefix_range(self.field, self.start, is_whole=self.is_whole)

    @property
    def end(self) -> str:
        """The end of the range of `condition`."""
        return self.start + (END_OF_WORD if self.is_whole else LAST_CHARACTER)

    def likelihood(self, bearers: int) -> float:
        """Returns a number that is higher for more bearers and lower for more slips."""
        return log(bearers + 1) - tuning.SEARCH.slip_penalty * self.cost


def close_words(words: Iterable[SimilarWord]) -> list[SimilarWord]:
    return [word for word in words if word.cost <= tuning.SEARCH.max_close_cost]


def rank_candidates(
    words: list[str], similar: list[list[SimilarWord]], joined: Iterable[SimilarWord]
) -> list[tuple[NameCandidate, int]]:
    """Returns the names near these words that a patient has, the likely ones first.

    Each comes with its number of bearers, up to `max_bearers_counted`. `similar` has the similar
    words of each word, `joined` those of all words as one.
    """
    if len(words) == 1:
        names = [*_names_of_one_word(similar[0])]
    else:
        most = tuning.SEARCH.max_name_candidates
        names = [*islice(_names_of_words(words, similar), most), *_joined_names(joined)]
    ranked = [row for row in _count_bearers(names) if row[1]]
    ranked.sort(key=lambda row: -row[0].likelihood(row[1]))
    return ranked


def find_commoner_names(word: str, similar: list[SimilarWord]) -> list[NameCandidate]:
    """Returns names with more bearers than all names that begin with the word, commonest first.

    A name that begins with the word itself is commoner if it makes up a good share of those.
    """
    candidates = [*_names_of_one_word(close_words(similar))]
    if not candidates:
        return []
    itself = SimilarWord(word, 0, sounds_alike=False, cost=0)
    prefixes = [NameCandidate(word, itself, 0, field, is_whole=False) for field in _NAME_FIELDS]
    counted = _count_bearers([*prefixes, *candidates])
    with_prefix = sum(bearers for _, bearers in counted[: len(prefixes)])
    names = []
    for candidate, bearers in counted[len(prefixes) :]:
        is_longer = candidate.start.startswith(word)
        if bearers > with_prefix * (tuning.SEARCH.min_prefix_share if is_longer else 1):
            names.append((bearers, candidate))
    names.sort(key=lambda row: -row[0])
    return [candidate for _, candidate in names]


def _count_bearers(names: list[NameCandidate]) -> list[tuple[NameCandidate, int]]:
    """Returns each name with its number of bearers, up to `max_bearers_counted`."""
    if not names:
        return []
    values = [tuning.SEARCH.max_bearers_counted, *_ranges(names)]
    rows = execute_prepared("count_bearers", lambda: _COUNT_BEARERS, values)
    return [(name, bearers) for name, (bearers,) in zip(names, rows, strict=True)]


def _ranges(names: Sequence[NameCandidate]) -> tuple[list[str], list[str], list[bool]]:
    """Returns the starts of the ranges of many names, their ends, and which are given names."""
    return (
        [name.start for name in names],
        [name.end for name in names],
        [name.field == "given_key" for name in names],
    )


def find_bearers_of_each(
    read: Reader,
    patients: Condition,
    names: Sequence[NameCandidate],
    limits: Sequence[int],
    *,
    are_few: bool,
) -> list[list[Bearer]]:
    """Returns the first bearers of each name, so many; `are_few` says that these patients are.

    `read` runs the statement.
    """
    if not names:
        return []
    values = [*_ranges(names), [*limits]]
    if are_few:
        has_name = any_of(name.condition for name in names)
        statement = _FIRST_FEW_BEARERS.format(patients=patients.sql, has_name=has_name.sql)
        rows = read(statement, [*patients.values, *has_name.values, *values])
    else:
        statement = _FIRST_BEARERS.format(patients=patients.sql)
        rows = read(statement, [*values, *patients.values, *patients.values])
    bearers: list[list[Bearer]] = [[] for _ in names]
    for at, patient_id, sort_key in rows:
        bearers[at - 1].append((patient_id, sort_key))
    return bearers


def _names_of_one_word(similar: Iterable[SimilarWord]) -> Iterator[NameCandidate]:
    for word in similar:
        for field in _NAME_FIELDS:
            yield NameCandidate(word.word, word, word.cost, field)


def join_words(words: list[str]) -> str:
    """Returns words that may be one word, as it: `o brein` and `mc donld`; else an empty text."""
    numbers = tuning.SEARCH
    if not 1 < len(words) <= numbers.max_joined_words:
        return ""
    return "" if len(words[0]) > numbers.max_particle_length else "".join(words)


def _joined_names(similar: Iterable[SimilarWord]) -> Iterator[NameCandidate]:
    for word in similar:
        yield NameCandidate(word.word, word, word.cost)


def _names_of_words(words: list[str], similar: list[list[SimilarWord]]) -> Iterator[NameCandidate]:
    """Yields every name with each of its words in front, those of few slips first.

    The last word may be the beginning of a longer one where it is kept as it was typed.
    """
    for replacement in sorted(_replacements(similar), key=_cost):
        text = [new.word if new else word for new, word in zip(replacement, words, strict=True)]
        differing = max(filter(None, replacement), key=lambda word: word.cost)
        for at in range(len(text)):
            name, is_whole = " ".join(text[at:] + text[:at]), replacement[at - 1] is not None
            yield NameCandidate(name, differing, _cost(replacement), is_whole=is_whole)


def _replacements(similar: list[list[SimilarWord]]) -> Iterator[Replacement]:
    """Yields one word replaced by each that is similar, then several by the close ones."""
    count = len(similar)
    for at, words in enumerate(similar):
        for word in words:
            yield (None,) * at + (word,) + (None,) * (count - at - 1)
    most = tuning.SEARCH.close_words
    choices = [[None, *close_words(words)[:most]] for words in similar]
    for replacement in islice(product(*choices), tuning.SEARCH.max_combinations):
        if count - replacement.count(None) > 1:
            yield replacement


def _cost(replacement: Replacement) -> float:
    return sum(word.cost for word in replacement if word)
