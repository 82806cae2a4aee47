"""CSV cells that no spreadsheet runs as a formula (OWASP, CSV injection), and the way back.

A spreadsheet may split a line at other characters than we do, drop characters that nobody sees, and
read wide forms of `=` as `=`. So each part of a cell that could become a cell of its own, and then
a formula, gets an apostrophe before it.
"""

import csv
import re
from collections.abc import Iterable

BYTE_ORDER_MARK = "\ufeff"  # Without it Excel reads UTF-8 as the code page of its country.
# `=`, `+`, `-` and `@`, with the minus sign, and with the small and the full-width forms.
_STARTS_FORMULA = r"=+\-@\u2212\ufe62\ufe63\ufe66\ufe6b\uff0b\uff0d\uff1d\uff20"
# Apostrophes, quotation marks, blanks, control characters, and characters without a width.
_IS_SKIPPED = (
    r"'\"\x00-\x08\x0b\x0c\x0e-\x20\x7f-\xa0\xad\u034f\u061c\u115f\u1160\u1680\u180b-\u180f"
    r"\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    r"\U000e0000-\U000e01ef"
)
# A part begins with the cell, or after a semicolon, tab or line break.
_PART = r"(?:^|(?<=[;\t\r\n]))"
_IS_FORMULA = rf"(?=[{_IS_SKIPPED}]*[{_STARTS_FORMULA}])"
_STARTS_BLANK = rf"(?=[{_IS_SKIPPED}]*[\t\r\n])"
_HARMFUL = re.compile(rf"{_PART}{_IS_FORMULA}|^{_STARTS_BLANK}")
_ESCAPED = re.compile(rf"{_PART}'{_IS_FORMULA}|^'{_STARTS_BLANK}")


# It begins with a letter or a digit, and has no second part.
_HARMLESS = re.compile(r"[A-Za-z0-9][^;\t\r\n]*\Z")


def escape_cell(cell: str) -> str:
    """Returns the cell, with an apostrophe before each part that a spreadsheet would run."""
    return cell if not cell or _HARMLESS.match(cell) else _HARMFUL.sub("'", cell)


def unescape_cell(cell: str) -> str:
    """Returns the cell as it was before `escape_cell`."""
    return _ESCAPED.sub("", cell) if "'" in cell else cell


class _Line:
    """Is a file for a CSV writer, which returns what `write` returns: its line."""

    def write(self, text: str) -> str:
        return text


_WRITER = csv.writer(_Line())


def csv_line(cells: Iterable[str]) -> str:
    """Returns a line of CSV with escaped cells."""
    return _WRITER.writerow(list(map(escape_cell, cells)))


def csv_header(cells: Iterable[str]) -> str:
    """Returns the first line of a CSV file, with the mark by which Excel knows UTF-8."""
    return BYTE_ORDER_MARK + csv_line(cells)
