"""Cells of a table: texts that stand for nothing, numbers as programs write them, broken texts."""

import re
from functools import cache

from portal.csv_safe import unescape_cell
from portal.imports.readers.columns import SYSTEMS
from portal.imports.readers.targets import DIGITS
from portal.patients.fields import ENTERED_FIELDS, FIELD_OF, Kind, Section
from portal.text import clean_text, has_letter
from portal.text_damage import find_damage

# What programs write for an empty cell. The first ones are also family names.
_WORDS_FOR_NOTHING = frozenset({"null", "nil", "none", "nan"})
_FOR_NOTHING = _WORDS_FOR_NOTHING | {
    "(null)",
    "<null>",
    "[null]",
    "\\n",
    "<na>",
    "nat",
    "n/a",
    "(n/a)",
    "(none)",
    "(empty)",
    "(blank)",
    "undefined",
}
_IS_PUNCTUATION = re.compile(r"[-\u2010-\u2015.\u2026_~\s'\"]+$")
# Words for nothing where no date, number or address can be such a word.
_NOT_KNOWN = frozenset(
    {"na", "n.a.", "n/k", "nk", "unk", "unknown", "not known", "tbd", "tbc", "0"}
)
_NOT_KNOWN_KINDS = (Kind.DATE, Kind.EMAIL, Kind.PHONE)
_QUESTION_MARKS = re.compile(r"\?+$")  # In a name they are letters that were lost.
# A day of zeros, and what a spreadsheet shows of a zero in a column of dates.
_NO_DATES = frozenset(
    {
        *("0000-00-00", "0000-00-00 00:00:00", "00/00/0000", "00.00.0000", "00:00:00"),
        *("1/0/1900", "0/1/1900", "1/0/00", "0/1/00", "00/01/1900", "01/00/1900", "1900-01-00"),
    }
)
_NO_DEATHS = frozenset({"9999-12-31", "31/12/9999", "12/31/9999", "31.12.9999"})
# Days of databases that know the year or the month alone: 1984-00-00, 1984-03-00.
_PARTLY_KNOWN = re.compile(r"(\d{4}(?:-(?!00)\d\d)?)(?:-00){1,2}$")
# A spreadsheet's errors, as they come in a CSV, in any language; a column that is too narrow.
_ERROR = re.compile(
    r"#[\u00a1\u00bf]?[^\W\d](?:\w|/)*(?:/0)?[!?]$|#(?:n/a|nv|n/d|n/b|getting_data)$"
    r"|(?:err|fehler):\d{3}$|#{2,}$",
    re.IGNORECASE,
)
_STARTS_ERROR = frozenset("#eEfF")
# The apostrophe by which a spreadsheet marks a text; not that of 't Hooft and 's Gravesande.
_TEXT_MARK = re.compile(r"^'(?![tsndkmr][\s-])(?=\w)", re.IGNORECASE)
_TEXT_FORMULA = re.compile(r'="([^"]*)"$')  # By which a CSV keeps the zeros of ="02134".
_IN_QUOTES = re.compile(
    r"""(?:'([^']*)'|"([^"]*)"|[\u201c\u201e]([^\u201c\u201d]*)[\u201c\u201d])$"""
)
_WHOLE_NUMBER = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.0+)?$|\+?\d+\.0+$|\d{4,},00?$")
_NO_DECIMALS = re.compile(r"(?:\.0+|,00?)$")
_NAMES = frozenset(field.name for field in ENTERED_FIELDS if field.section == Section.NAME)
SHORTENED = re.compile(r"\d(?:[.,]\d+)?E\+?\d{1,3}$", re.IGNORECASE)

ERROR = "The spreadsheet shows an error in this cell."
_NUMBER_FOR_NAME = "A name has letters. Is this the column of the name?"
_DECIMALS = "This number has decimals, and no number of a person has any. Check the cell."
_SHORTENED_REASON = (
    "A spreadsheet shortened this number, and its last digits are lost. Format the column as text, "
    "and get the file again."
)


def clean_cell(field: str, text: str) -> str:
    """Returns what a cell says of this field; "" for a text that stands for nothing."""
    text = _unwrap(clean_text(unescape_cell(text.strip())))
    if _stands_for_nothing(field, text.lower()):
        return ""
    if field in DIGITS and _WHOLE_NUMBER.match(text):
        return _NO_DECIMALS.sub("", text).replace(",", "")
    if field == "date_of_birth" and text.endswith("-00") and (known := _PARTLY_KNOWN.match(text)):
        return known[1]
    return text


def find_cell_fault(field: str, text: str, typed: str, *, is_number: bool = False) -> str:
    """Says why a cell is not what the source meant; "" if nothing is wrong with it.

    `text` is what `clean_cell` made of the cell as typed.
    """
    if text[:1] in _STARTS_ERROR and _ERROR.match(text):
        return ERROR
    if field in DIGITS or field in SYSTEMS:
        if SHORTENED.match(text):
            return _SHORTENED_REASON
        if is_number and "." in text:
            return _DECIMALS
    if is_no_name(field, text) and any(map(str.isdigit, text)) and text.strip("0"):
        return _NUMBER_FOR_NAME
    return find_damage(field, unescape_cell(typed.strip())) if text else ""


def is_no_name(field: str, text: str) -> bool:
    """Tells whether this text of a name has no letter, as in `?` or 0: nobody is called so."""
    return field in _NAMES and bool(text) and not has_letter(text)


def _unwrap(text: str) -> str:
    """Returns a text without the signs that keep it a text, or that stand around it."""
    if text[:1].isalnum():
        return text
    if found := _TEXT_FORMULA.match(text) or _IN_QUOTES.match(text):
        return next(part for part in found.groups() if part is not None).strip()
    return _TEXT_MARK.sub("", text, count=1).strip()


def _stands_for_nothing(field: str, text: str) -> bool:
    if text in texts_for_nothing(field):
        return True
    if text[:1].isalnum():
        return False
    if _IS_PUNCTUATION.match(text):
        return True
    return _kind_of(field) in (*_NOT_KNOWN_KINDS, Kind.CHOICE) and bool(_QUESTION_MARKS.match(text))


@cache
def texts_for_nothing(field: str) -> frozenset[str]:
    """Returns the texts in lower case that say nothing of this field."""
    texts = _FOR_NOTHING - _WORDS_FOR_NOTHING if field == "family_name" else _FOR_NOTHING
    kind = _kind_of(field)
    if kind in _NOT_KNOWN_KINDS:
        texts |= _NOT_KNOWN
    if field == "deceased_on":
        texts |= _NO_DEATHS
    return texts | _NO_DATES if kind == Kind.DATE else texts


def _kind_of(field: str) -> Kind | None:
    return FIELD_OF[field].kind if field in FIELD_OF else None
