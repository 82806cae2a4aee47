"""Cells of a table: texts that stand for nothing, numbers as programs write them, broken texts."""

import re

from portal.csv_safe import unescape_cell
from portal.imports.readers.columns import SYSTEMS
from portal.imports.readers.damage import find_damage
from portal.imports.readers.targets import DIGITS
from portal.patients.fields import FIELD_OF, Kind

# What programs write for an empty cell. The first ones are also family names.
_WORDS_FOR_NOTHING = frozenset({"null", "nil", "none", "nan"})
_FOR_NOTHING = _WORDS_FOR_NOTHING | {
    "(null)",
    "<null>",
    "[null]",
    "\\n",
    "n/a",
    "(n/a)",
    "-",
    "--",
    "---",
    "(none)",
    "(empty)",
    "(blank)",
}
_NO_DATES = frozenset({"0000-00-00", "0000-00-00 00:00:00", "00/00/0000", "00.00.0000"})
# A spreadsheet's errors, as they come in a CSV.
_ERRORS = frozenset(
    {"#n/a", "#ref!", "#value!", "#name?", "#div/0!", "#null!", "#num!", "#spill!", "#calc!"}
)
# The apostrophe by which a spreadsheet marks a text; not that of 't Hooft and 's Gravesande.
_TEXT_MARK = re.compile(r"^'(?![tsndkmr][\s-])(?=\w)", re.IGNORECASE)
_WHOLE_NUMBER = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.0+)?$|\d+\.0+$")
_SHORTENED = re.compile(r"\d(?:[.,]\d+)?E\+?\d{1,3}$", re.IGNORECASE)

ERROR = "The spreadsheet shows an error in this cell."
_SHORTENED_REASON = (
    "A spreadsheet shortened this number, and its last digits are lost. Format the column as text, "
    "and get the file again."
)


def clean_cell(field: str, text: str) -> str:
    """Returns what a cell says of this field; "" for a text that stands for nothing."""
    text = _TEXT_MARK.sub("", unescape_cell(text.strip()), count=1).strip()
    folded = text.lower()
    is_family_name = field == "family_name" and folded in _WORDS_FOR_NOTHING
    if folded in _FOR_NOTHING and not is_family_name:
        return ""
    if _is_date(field) and folded in _NO_DATES:
        return ""
    if field in DIGITS and _WHOLE_NUMBER.match(text):
        return text.partition(".")[0].replace(",", "")
    return text


def find_cell_fault(field: str, text: str) -> str:
    """Says why a cell's text is not what the source meant; "" if nothing is wrong with it."""
    if text.lower() in _ERRORS:
        return ERROR
    if (field in DIGITS or field in SYSTEMS) and _SHORTENED.match(text):
        return _SHORTENED_REASON
    return find_damage(field, text)


def _is_date(field: str) -> bool:
    return field in FIELD_OF and FIELD_OF[field].kind == Kind.DATE
