"""How a name sounds: the same key for `smith` and `smyth`, for names of many languages."""

import re
from functools import lru_cache
from itertools import groupby

_SAME_SOUND = str.maketrans("cqz", "kks")
_VOICELESS = str.maketrans("bdgv", "ptkf")


def _compiled(rules: list[tuple[str, str]]) -> list[tuple[re.Pattern[str], str]]:
    return [(re.compile(pattern), replacement) for pattern, replacement in rules]


# The patterns mean the same in Python and in PostgreSQL: the SQL function patients_sound has
# these rules in this order.
_CONSONANT_RULES = _compiled(
    [
        (r"[^a-z]", ""),
        (r"(.)\1+", r"\1"),
        (r"^mc|^mac(?=[^eyh])", "mak"),
        (r"^[gkp](?=n)|^w(?=r)|^p(?=s)", ""),
        (r"ph", "f"),
        (r"^x", "s"),
        (r"x", "ks"),
        (r"t?sch|[sz]h|sj|tch|cz", "x"),  # From here on x is the sound of `shop` and `chop`.
        (r"(?<=[aou])ch$|ch(?=[rl])", "k"),
        (r"ch", "x"),
        (r"(?<=[aeiouy])gh", ""),
        (r"dg(?=[eiy])", "g"),
        (r"^geo", "jo"),
        (r"c(?=[eiy])", "s"),
        (r"[td]z|ts", "s"),
        (r"^w", "v"),
        (r"(?<=.)[hw]", ""),
        (r"^y(?=[aeiou])", "j"),
        (r"mb$|mp(?=[st])", "m"),
    ]
)
# A name with one consonant keeps the kind of its vowel: else Lee and Lowe would be one sound.
_VOWEL_RULES = _compiled(
    [
        (r"(.)\1+", r"\1"),
        (r"^([^aeiouy])[aou][aeiouy]*$", r"\1A"),
        (r"^([^aeiouy])[eiy][aeiouy]*$", r"\1E"),
        (r"^[aeiouy]+", "A"),
        (r"[aeiouy]", ""),
    ]
)


@lru_cache(maxsize=50_000)  # words, since the same names come again and again
def phonetic_key(word: str) -> str:
    """Returns the key of a folded word, `SMT` for `smyth`; empty for a word without Latin letters.

    Consonants count by their sound, vowels only at the beginning or where there is little else.
    The first letter is told apart more finely than those inside: Ford is not Ward, but Berg is
    Berk, Schmidt is Schmitt and McKay is Mackay.
    """
    consonants = _apply(_CONSONANT_RULES, word).translate(_SAME_SOUND)
    return _apply(_VOWEL_RULES, consonants[:1] + consonants[1:].translate(_VOICELESS)).upper()


@lru_cache(maxsize=50_000)
def liquid_consonants(name: str) -> str:
    """Returns each l, m, n and r of a name in order, those that follow each other once.

    Its phonetic key has the same ones, and takes twenty times as long to find.
    """
    return "".join(letter for letter, _ in groupby(filter("lmnr".__contains__, name)))


def _apply(rules: list[tuple[re.Pattern[str], str]], word: str) -> str:
    for pattern, replacement in rules:
        word = pattern.sub(replacement, word)
    return word
