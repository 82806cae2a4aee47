"""The vocabulary: every word of every name, to look up what a mistyped or misheard one means."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import structlog
from django.contrib.postgres.search import SearchQuery
from django.db import OperationalError, connection, transaction

from portal.patients.names.similarity import edit_distance
from portal.prepared import execute_prepared

log = structlog.get_logger("portal.patients")

MIN_TYPED_LETTERS = 3  # letters: a shorter word is similar to too many others
MIN_LETTERS_FOR_TWO_SLIPS = 6  # letters: a shorter word may have one slip, a longer one two
MIN_SLIPS_BY_SOUND = 3  # slips that a word alike in sound may have; in a long one half its letters
MAX_COST = 3.0  # slips: words that are further off all count as equally far
SOUND_DISCOUNT = 0.5  # slips less for a word that sounds alike
DELETE_BATCH_SIZE = 500  # words deleted in one transaction, during which no patient is written

_LOCK_NOT_AVAILABLE = "55P03"  # PostgreSQL's code
_WORDS_NEAR = """
    (text[]) AS
    SELECT at, near.word, sounds_alike
    FROM unnest($1) WITH ORDINALITY AS typed (word, at)
    CROSS JOIN LATERAL patients_words_near(typed.word) AS near
"""
_IS_UNUSED = """
    NOT EXISTS (
        SELECT FROM patients_patient
        WHERE name_words @@ array_to_tsvector(ARRAY[known.word])::text::tsquery
    )
"""
_FIND_UNUSED = f"""
    SELECT id FROM patients_nameword AS known WHERE {_IS_UNUSED}
"""  # noqa: S608 - the condition is a constant of this module
_DELETE_UNUSED = f"""
    DELETE FROM patients_nameword AS known WHERE id = ANY(%s) AND {_IS_UNUSED}
"""  # noqa: S608 - the condition is a constant of this module
_DELETE_SECOND_COPIES = """
    DELETE FROM patients_nameword AS later USING patients_nameword AS earlier
    WHERE later.word = earlier.word AND later.id > earlier.id
"""


@dataclass(frozen=True)
class SimilarWord:
    """A word of the vocabulary that may be meant by a typed one."""

    word: str
    edits: int  # letters to change
    sounds_alike: bool
    cost: float  # slips; the lower, the likelier


def find_similar_words(typed: str, *, limit: int) -> list[SimilarWord]:
    """Returns the words that sound like the typed one or are a slip or two away, likely ones first.

    The typed word itself is not among them. At most `limit` words are returned.
    """
    [words] = find_similar_to_each([typed], limit=limit)
    return words


def find_similar_to_each(typed: Sequence[str], *, limit: int) -> list[list[SimilarWord]]:
    """Returns the similar words of each of these words, out of one statement."""
    asked = [word for word in typed if is_long_enough(word)]
    near: dict[str, dict[str, bool]] = {word: {} for word in typed}
    for at, word, sounds_alike in (
        execute_prepared("words_near", lambda: _WORDS_NEAR, [asked]) if asked else []
    ):
        near[asked[at - 1]][word] = sounds_alike
    return [_rank_words(word, near[word])[:limit] for word in typed]


def is_long_enough(typed: str) -> bool:
    """Returns whether words are similar to the typed one: to a shorter one, too many would be."""
    return len(typed) >= MIN_TYPED_LETTERS and typed.isalpha()


def _rank_words(typed: str, near: Mapping[str, bool]) -> list[SimilarWord]:
    """Returns the words that are near enough, by cost; `near` says of each if it sounds alike."""
    max_slips = 1 if len(typed) < MIN_LETTERS_FOR_TWO_SLIPS else 2
    max_slips_by_sound = max(MIN_SLIPS_BY_SOUND, len(typed) // 2)
    similar = []
    for word, sounds_alike in near.items():
        edits = edit_distance(typed, word)
        if 0 < edits <= (max_slips_by_sound if sounds_alike else max_slips):
            cost = min(edits, MAX_COST) - (SOUND_DISCOUNT if sounds_alike else 0)
            similar.append(SimilarWord(word, edits, sounds_alike, cost))
    return sorted(similar, key=lambda word: (word.cost, word.word))


def name_query(groups: Sequence[Sequence[str]]) -> SearchQuery:
    """Returns a query for names that have a word of each group; `smi*` stands for a beginning."""
    return SearchQuery(word_query(groups), search_type="raw", config="simple")


def word_query(groups: Sequence[Sequence[str]]) -> str:
    """Returns the same query as the text that PostgreSQL's `to_tsquery` takes."""
    return " & ".join("(" + " | ".join(map(_lexeme, group)) + ")" for group in groups)


def _lexeme(word: str) -> str:
    return f"'{word[:-1]}':*" if word.endswith("*") else f"'{word}'"


def delete_unused_words(*, lock_timeout_ms: int = 3_000) -> int:
    """Deletes the words that no patient has any more, as of an erased patient; returns how many.

    Writers of patients wait for a moment while a batch is deleted: else a word could be deleted
    while a patient with it is registered. If a writer takes longer than `lock_timeout_ms`, the
    rest is left for the next night.
    """
    with connection.cursor() as cursor:
        cursor.execute(_FIND_UNUSED)
        word_ids = [word_id for (word_id,) in cursor]
        cursor.execute(_DELETE_SECOND_COPIES)
    count = 0
    for start in range(0, len(word_ids), DELETE_BATCH_SIZE):
        try:
            count += _delete_batch(word_ids[start : start + DELETE_BATCH_SIZE], lock_timeout_ms)
        except OperationalError as error:
            if getattr(error.__cause__, "pgcode", None) != _LOCK_NOT_AVAILABLE:
                raise
            log.warning("unused_words_left", left=len(word_ids) - start)
            break
    return count


def _delete_batch(word_ids: list[int], lock_timeout_ms: int) -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{lock_timeout_ms}ms"])
        cursor.execute("LOCK TABLE patients_patient IN SHARE MODE")
        cursor.execute(_DELETE_UNUSED, [word_ids])
        return cursor.rowcount
