"""What a mistyped or misheard word may mean, out of the words that names are made of."""

from dataclasses import dataclass

import structlog
from django.contrib.postgres.search import SearchQuery
from django.db import OperationalError, connection, transaction

from portal.patients.names.similarity import edits_between

log = structlog.get_logger("portal.patients")
SLICE = 500  # Words that go in one transaction, during which nobody can write a patient.
_LOCK_NOT_HAD = "55P03"
MOST = (
    40  # Words that are near enough to be looked up; those behind them are far from what was typed.
)
_IS_UNBORNE = """
    NOT EXISTS (
        SELECT FROM patients_patient WHERE name_words @@ array_to_tsvector(ARRAY[known.word])::text::tsquery
    )
"""
_TWICE = """
    DELETE FROM patients_nameword AS later USING patients_nameword AS earlier
    WHERE later.word = earlier.word AND later.id > earlier.id
"""


@dataclass(frozen=True)
class SimilarWord:
    """A word that somebody may have meant; `cost` is small where it is likely."""

    word: str
    edits: int
    sounds_alike: bool
    cost: float


def find_similar_words(typed: str, *, most: int = MOST) -> list[SimilarWord]:
    """Words of names that sound like the typed word or are one or two letters off, the likely ones first.

    One letter in a word of three to five, two in a longer one. The typed word itself is not among them; at most `most`.
    """
    if len(typed) < 3 or not typed.isalpha():
        return []
    with connection.cursor() as cursor:
        cursor.execute("SELECT word, sounds_alike FROM patients_words_near(%s)", [typed])
        found = [_near(typed, word, sounds_alike) for word, sounds_alike in cursor if word != typed]
    slips = 1 if len(typed) < 6 else 2
    near = [
        one
        for one in found
        if one.edits <= (max(3, len(typed) // 2) if one.sounds_alike else slips)
    ]
    return sorted(near, key=lambda one: (one.cost, one.word))[:most]


def delete_unused_words(*, patience_ms: int = 3_000) -> int:
    """Take out the words that nobody bears any more, such as those of an erased patient; how many those were.

    Whoever writes patients waits while a slice goes, a moment: else a word could go while somebody registers with it.
    Where somebody writes for longer than `patience_ms`, the rest is left for the next night.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id FROM patients_nameword AS known WHERE {_IS_UNBORNE}")  # noqa: S608 - our own words
        unborne = [word_id for (word_id,) in cursor]
        cursor.execute(_TWICE)
    count = 0
    for start in range(0, len(unborne), SLICE):
        try:
            count += _forget(unborne[start : start + SLICE], patience_ms)
        except OperationalError as error:
            if getattr(error.__cause__, "pgcode", None) != _LOCK_NOT_HAD:
                raise
            log.warning("words_not_forgotten", left=len(unborne) - start)
            break
    return count


def _forget(word_ids: list[int], patience_ms: int) -> int:
    delete = f"DELETE FROM patients_nameword AS known WHERE id = ANY(%s) AND {_IS_UNBORNE}"  # noqa: S608
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{patience_ms}ms"])
        cursor.execute("LOCK TABLE patients_patient IN SHARE MODE")
        cursor.execute(delete, [word_ids])
        return cursor.rowcount


def _near(typed: str, word: str, sounds_alike: bool) -> SimilarWord:
    edits = edits_between(typed, word)
    return SimilarWord(word, edits, sounds_alike, min(edits, 3) - (0.5 if sounds_alike else 0))


def name_query(words: list[list[str]]) -> SearchQuery:
    """Of each group one word, as it stands in the vocabulary or, with a `*` behind it, as a beginning."""
    groups = ["(" + " | ".join(_lexeme(word) for word in group) + ")" for group in words]
    return SearchQuery(" & ".join(groups), search_type="raw", config="simple")


def _lexeme(word: str) -> str:
    return f"'{word[:-1]}':*" if word.endswith("*") else f"'{word}'"
