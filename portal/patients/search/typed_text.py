"""What is typed or pasted into the search box, made plain before anything is read into it."""

import re
import unicodedata

from portal.patients.names.titles import AFTER_TITLES, SUFFIXES, TITLES
from portal.patients.normalize import is_mrn, plain_digit
from portal.patients.search import tuning
from portal.text import clean_text

# What letters, lists and cards print in front of a number or date. It goes where one follows.
_LABEL = re.compile(
    r"(?<![^\W\d_])(?:m\.?r\.?n\b|mrn(?=\d)|#|(?:record|patient|chart|file|account|acct)\b"
    r"(?:\s?(?:id|no|nr|number)\b)?|id\b|ssn\b|social security(?:\s(?:no|number)\b)?"
    r"|(?:tele)?phone\b|ph\b|tel\b|mobile\b|cell\b|call\b|fax\b"
    r"|date of birth\b|d\.?o\.?b\b|birth ?date\b|born(?: on)?\b|geb\b|geboren\b|b(?=\.))"
    r"[\s:#.=-]*(?:(?:no|nr)\b\.?[\s:#.=-]*)?"
    r"(?=[(+]?\d|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)\w*\.?\s\d|\d)",
    re.IGNORECASE,
)
_AGE = re.compile(
    r"[(,;]?\s*(?<!\d)\d{1,3}\s?(?:years?(?: old)?|yrs?|y/?o|yo|jahre|ans|años)\b\.?\s?\)?",
    re.IGNORECASE,
)
_DEGREE = re.compile(r"\b(?:m\.\s?d|ph\.\s?d|d\.\s?o|r\.\s?n|esq)\b\.?", re.IGNORECASE)
_EMAIL_AROUND = re.compile(r"(?:mailto:|[<(\[])*([^\s@<>()\[\]]+@[^\s@<>()\[\],;]*)", re.IGNORECASE)
_DASH = re.compile("[\u2010-\u2015\u2212\ufe58\ufe63\uff0d\u2043]")
_RECORD_NUMBER = re.compile(r"(?<![^\s(\[,;])\d{8,12}(?![^\s)\],;.])")
_AROUND = " \"'*%“”„«»‹›[]{}<>"


def cut_text(text: str) -> str:
    """Returns as much of the text as is read."""
    return text[: tuning.SEARCH.max_text_length]


def read_typed(text: str) -> str:
    """Returns the beginning of the text with plain digits, without what nobody sees or means.

    Full-width letters and digits of other scripts become plain, and every dash a hyphen. Labels
    such as `MRN` and `born` go, and so do an age, quotation marks around all, and dots and commas
    at the end.
    """
    plain = cut_text(unicodedata.normalize("NFKC", clean_text(cut_text(text))))
    visible = (plain_digit(c) for c in plain if unicodedata.category(c) != "Cf")
    words = _DASH.sub("-", " ".join("".join(visible).split()))
    words = _AGE.sub(" ", _LABEL.sub("", words))
    words = _DEGREE.sub(lambda match: re.sub(r"[.\s]", "", match[0]), words)
    words = _without_brackets_around(" ".join(words.split()).strip(_AROUND))
    return words.rstrip(" .,;:")


def _without_brackets_around(text: str) -> str:
    is_whole = text.startswith("(") and text.find(")") == len(text) - 1
    return text[1:-1] if is_whole else text


def find_email(text: str) -> str:
    """Returns the e-mail address in the text, as in `Jane Smith <jane@example.org>`, or ""."""
    found = _EMAIL_AROUND.search(text)
    return found[1] if found else ""


def split_record_numbers(text: str) -> tuple[list[str], str]:
    """Returns the record numbers among other words, and the text without them.

    A whole text that is a number is none: it may be another number, too.
    """
    found = [number for number in _RECORD_NUMBER.findall(text) if is_mrn(number)]
    if not found or text in found:
        return [], text
    rest = _RECORD_NUMBER.sub(lambda match: "" if match[0] in found else match[0], text)
    rest = " ".join(rest.split()).strip(" ,;()[]")
    return (found, rest) if rest else ([], text)


def without_titles(words: list[str]) -> list[str]:
    """Returns the folded words of a name without titles in front and suffixes at the end.

    A list prints a title last: `SMITH, Jane (Mrs)`. At least one word is left.
    """
    left = list(words)
    while len(left) > 1 and _is_title_in_front(left, words):
        left.pop(0)
    while len(left) > 1 and _is_title_or_suffix_behind(left):
        left.pop()
    return left


def _is_title_in_front(left: list[str], words: list[str]) -> bool:
    """Returns True for the next title, and for `med` and `and` behind another title."""
    return left[0] in TITLES or (len(left) < len(words) and left[0] in AFTER_TITLES)


def _is_title_or_suffix_behind(left: list[str]) -> bool:
    if left[-1] in TITLES | SUFFIXES:
        return True
    return left[-1] in AFTER_TITLES and left[-2] in TITLES | AFTER_TITLES
