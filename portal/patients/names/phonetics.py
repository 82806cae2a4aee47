"""How a name sounds: a key that is the same for `smith` and `smyth`, made for names of many languages."""

import re

# Letters that folding keeps, by what stands for them elsewhere.
_LETTERS = str.maketrans("ßøłđæœþðı", "soldeetdi")
_PLAIN = str.maketrans("cqz", "kks")
_SOFT = str.maketrans("bdgv", "ptkf")

# Each pattern reads alike in Python and in PostgreSQL: SQL's patients_sound has the same rules in the same order.
_SPELLINGS = [
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
_VOWELS = [
    (r"(.)\1+", r"\1"),
    (
        r"^([^aeiouy])[aou][aeiouy]*$",
        r"\1A",
    ),  # With one consonant alone, Lee and Lowe would be one sound.
    (r"^([^aeiouy])[eiy][aeiouy]*$", r"\1E"),
    (r"^[aeiouy]+", "A"),
    (r"[aeiouy]", ""),
]


def phonetic_key(word: str) -> str:
    """The key of one folded word, `SMT` of `smyth`; empty for a word without Latin letters.

    Consonants by their sound, vowels only where a word begins with one or has little else. One that begins a word is
    kept apart more finely than one inside: Ford is not Ward, but Berg is Berk, Schmidt is Schmitt, McKay is Mackay.
    """
    word = _replace(word.translate(_LETTERS), _SPELLINGS).translate(_PLAIN)
    return _replace(word[:1] + word[1:].translate(_SOFT), _VOWELS).upper()


def _replace(word: str, rules: list[tuple[str, str]]) -> str:
    for pattern, instead in rules:
        word = re.sub(pattern, instead, word)
    return word
