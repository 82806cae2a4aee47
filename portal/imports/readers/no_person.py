"""Lines of a table that are about no person: headers again, comments, totals, and rules."""

import re
from collections.abc import Sequence
from functools import lru_cache

from portal.imports.readers.columns import field_for
from portal.text import has_letter

# A cell below the header that says what its column is: (required), Text, yyyy-mm-dd, -----.
_HINT = re.compile(
    r"\(.*\)|<.*>|\[.*\]|n?text|string|n?(?:var)?char.*|datetime.*|date(?: .*)?|timestamp.*"
    r"|number|numeric|int(?:eger)?|bool(?:ean)?|req(?:uired)?|opt(?:ional)?|mandatory(?: field)?"
    r"|[dmytja]{2,4}[-/. ][dmytja]{2,4}[-/. ][dmytja]{2,4}|[mfwhd](?:[/|][mfwhdxu]){1,3}"
    r"|[-=_*+]{2,}",
    re.IGNORECASE,
)
_TOTAL = re.compile(
    r"(?:(?:grand |sub)?totals?|sum|count|records?|rows?|patients?|end of (?:file|report|list)|eof"
    r"|page|printed|confidential|summe|gesamt|anzahl)\b[\s:.]*(?:[\d(].*)?",
    re.IGNORECASE,
)
_COMMENTS = ("#", "//", "--", ";", "/*")
_FEW_COLUMNS = 2  # In a wider table a line with one cell of prose is no person.
_MANY_WORDS = 4
# No name of a known column and no hint begins with a digit.
FIRST_DIGITS = frozenset("0123456789")
_SHORT_CELL = 40  # Characters: the meanings of such cells are kept.

REPEATED_HEADER = "This row repeats the header."
_COMMENT = "This line is a comment, and no person."
_DESCRIPTION = "This row describes the columns, and no person."
_SUMMARY = "This line is a total or a remark about the table, and no person."


def why_no_person(cells: Sequence[str], header: Sequence[str], fields: Sequence[str | None]) -> str:
    """Says what a line is that is about no person; "" for one that may be.

    `fields` are what the columns of the header mean.
    """
    filled = [text for cell in cells if (text := cell.strip())]
    if not filled:
        return ""
    has_number = any(
        name and cell[:1] in FIRST_DIGITS for name, cell in zip(fields, cells, strict=False)
    )
    if _repeats_header(cells, header, () if has_number else fields):
        return REPEATED_HEADER
    is_prose = len(filled) == 1 or len(cells) != len(header)
    if is_prose and filled[0].startswith(_COMMENTS):
        return _COMMENT
    if not has_number and all(_HINT.fullmatch(cell) for cell in filled):
        return _DESCRIPTION
    return _SUMMARY if _is_summary(filled, width=len(header)) else ""


def is_surely_person(cells: Sequence[str], first_name: str) -> bool:
    """Tells by a short look that `why_no_person` says nothing of a record of several cells.

    One of them, in a column that is known, begins with a digit; `first_name` is the header's first.
    """
    first = cells[0].strip()
    return bool(first) and first.lower() != first_name.lower() and not _TOTAL.fullmatch(first)


def _repeats_header(
    cells: Sequence[str], header: Sequence[str], fields: Sequence[str | None]
) -> bool:
    is_first_same = cells[0].strip().lower() == header[0].lower()
    if is_first_same and [cell.strip().lower() for cell in cells] == [
        name.lower() for name in header
    ]:
        return True
    if len(cells) != len(fields) or sum(map(bool, fields)) < 2:
        return False
    return all(_meaning_of(cell) == name for cell, name in zip(cells, fields, strict=True))


def _meaning_of(cell: str) -> str | None:
    is_short = len(cell) <= _SHORT_CELL
    return _meaning_of_short(cell) if is_short else field_for(cell)


# Names and words come again and again.
_meaning_of_short = lru_cache(maxsize=10_000)(field_for)


def _is_summary(filled: Sequence[str], *, width: int) -> bool:
    """Tells whether it is a line such as `Total,15` or `Page 1 of 2`."""
    first, *others = filled
    is_total = _TOTAL.fullmatch(first) and (others or width > _FEW_COLUMNS)
    if is_total and not any(map(has_letter, others)):
        return True
    if others or width <= _FEW_COLUMNS:
        return False
    has_digit = any(character.isdigit() for character in first)
    return (has_digit and " " in first) or first.endswith(":") or len(first.split()) >= _MANY_WORDS
