"""Titles and suffixes: the words around a name that are no part of it."""

TITLES = frozenset(
    {"mr", "mrs", "ms", "miss", "mx", "dr", "prof", "rev", "sir", "madam"}
    | {"mme", "mlle", "herr", "frau", "sr", "sra", "srta"}
)
# Words that belong to the title before them: Dr. med., Mr and Mrs.
AFTER_TITLES = frozenset({"med", "dent", "vet", "rer", "nat", "phil", "hc", "habil", "and", "und"})
# Words that a record may lack: titles that are names, too, what stands before a name at birth, and
# the small words of names: de la Cruz, van der Berg, v. d. Berg.
SMALL_WORDS = frozenset(
    {"lady", "lord", "sister", "brother", "father", "fr", "capt", "captain", "col", "maj", "sgt"}
    | {"lt", "hon", "don", "dona", "senor", "senora", "senorita", "signor", "signora", "monsieur"}
    | {"madame", "doktor", "доктор", "nee", "ne", "geb", "geborene", "aka", "alias"}
    | {"de", "da", "do", "dos", "das", "di", "del", "della", "la", "le", "du", "des", "van", "von"}
    | {"der", "den", "ter", "ten", "te", "het", "vd", "v", "d", "zu", "zum", "zur", "af", "av"}
    | {"al", "el", "bin", "ibn", "bint", "ben", "abu", "y", "e", "st", "san", "santa"}
)
SUFFIXES = frozenset({"jr", "sr", "ii", "iii", "iv", "md", "phd", "esq", "2nd", "3rd"})
# Ii is a family name and Md a given name: these are suffixes in capitals alone.
_IN_CAPITALS = frozenset({"ii", "iii", "iv", "md"})


def split_titles(words: list[str], *, fewest: int) -> tuple[list[str], list[str], list[str]]:
    """Returns the titles in front, the name, and the suffixes behind.

    Suffixes leave the fewest words of a name. A list prints a title last: `Jane (Mrs)`.
    """
    name = list(words)
    titles: list[str] = []
    suffixes: list[str] = []
    while len(name) > 1 and _plain(name[0]) in TITLES:
        titles.append(name.pop(0))
    if len(name) > 1 and name[-1].startswith("(") and _plain(name[-1]) in TITLES:
        titles.append(name.pop().strip("()"))
    while len(name) > fewest and is_suffix(name[-1]):
        suffixes.insert(0, name.pop())
    return titles, name, suffixes


def is_suffix(word: str) -> bool:
    """Returns whether the word is a suffix, such as `Jr.` or `MD`."""
    plain = _plain(word)
    return plain in SUFFIXES and (plain not in _IN_CAPITALS or word.isupper())


def _plain(word: str) -> str:
    return word.strip("(),").replace(".", "").lower()
