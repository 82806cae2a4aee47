"""What is typed or pasted into the search box, made plain before anything is read into it."""

import re
import unicodedata

from portal.patients.names.titles import SUFFIXES, TITLES
from portal.patients.search import tuning
from portal.text import clean_text

# A record number as letters and cards print it: `MRN: 1000 3066`, `#10003066`.
_MRN_LABEL = re.compile(r"(?:mrn|#)[\s:#.]*(?:no\.?\s*)?(?=\d)", re.IGNORECASE)


def cut_text(text: str) -> str:
    """Returns as much of the text as is read."""
    return text[: tuning.SEARCH.max_text_length]


def read_typed(text: str) -> str:
    """Returns the beginning of the text with plain digits, without what nobody sees or means.

    Full-width letters and digits of other scripts become plain. The label of a record number goes,
    and so do dots and commas at the end.
    """
    plain = cut_text(unicodedata.normalize("NFKC", clean_text(cut_text(text))))
    visible = (_plain_digit(c) for c in plain if unicodedata.category(c) != "Cf")
    words = " ".join("".join(visible).split())
    return _MRN_LABEL.sub("", words, count=1).rstrip(" .,;:") if words else ""


def _plain_digit(character: str) -> str:
    if character.isascii() or not character.isdecimal():
        return character
    return str(unicodedata.decimal(character))


def without_titles(words: list[str]) -> list[str]:
    """Returns the folded words of a name without titles in front and suffixes at the end.

    A list prints a title last: `SMITH, Jane (Mrs)`. At least one word is left.
    """
    left = list(words)
    while len(left) > 1 and left[0] in TITLES:
        left.pop(0)
    while len(left) > 1 and left[-1] in TITLES | SUFFIXES:
        left.pop()
    return left
