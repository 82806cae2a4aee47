"""Finds the header of a table: it may stand below a title, and below empty rows."""

from collections.abc import Sequence
from dataclasses import dataclass

from portal.imports.readers.columns import can_name_a_patient, fields_for

ROWS_OF_HEADER = 3  # Rows with titles of groups of columns, and the header below them.
SEARCHED_ROWS = 30  # Rows with a cell among which a header is looked for.


@dataclass(frozen=True)
class Header:
    """The place of the header among the rows; `is_known` if its names are those of our fields."""

    place: int
    is_known: bool


def find_header(rows: Sequence[Sequence[str]]) -> Header | None:
    """Returns the header of a table that begins with these rows; None without one.

    It is the first row that names at least two known columns, one of them a name or a key; a row
    below it that names more of them has the columns, and the first one the titles of their groups.
    Without such a row it is the first one that is filled like a table, which a person then looks
    at: at least half of it, and more if the row below it is full and has no digits, as a header.
    """
    searched = rows[:SEARCHED_ROWS]
    for place, row in enumerate(searched):
        if _count_known(row):
            below = range(place, min(place + ROWS_OF_HEADER, len(searched)))
            return Header(max(below, key=lambda at: _count_known(searched[at])), is_known=True)
    filled = [sum(bool(cell.strip()) for cell in row) for row in searched]
    widest = max(filled, default=0)
    for place, count in enumerate(filled):
        if count > 1 and count * 2 >= widest:
            is_above_header = count * 2 == widest and _is_full_of_words(
                searched[place + 1 :], widest
            )
            return Header(place + is_above_header, is_known=False)
    return None


def _is_full_of_words(rows: Sequence[Sequence[str]], width: int) -> bool:
    """Returns whether the first of these rows has so many cells filled, none with a digit."""
    cells = [cell for cell in rows[0] if cell.strip()] if rows else []
    return len(cells) == width and not any(map(str.isdigit, "".join(cells)))


def _count_known(row: Sequence[str]) -> int:
    """Returns how many columns a header names; 0 if it names less than two, or no person."""
    known = {field for field in fields_for(row) if field}
    return len(known) if len(known) > 1 and can_name_a_patient(list(known)) else 0
