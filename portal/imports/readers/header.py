"""Finds the header of a table: it may stand below a title, and below empty rows."""

from collections.abc import Sequence
from dataclasses import dataclass

from portal.imports.readers.columns import can_name_a_patient, field_for

SEARCHED_ROWS = 30  # Rows with a cell among which a header is looked for.


@dataclass(frozen=True)
class Header:
    """The place of the header among the rows; `is_known` if its names are those of our fields."""

    place: int
    is_known: bool


def find_header(rows: Sequence[Sequence[str]]) -> Header | None:
    """Returns the header of a table that begins with these rows; None without one.

    It is the first row that names at least two known columns, one of them a name or a key. Without
    such a row it is the first one that is filled like a table, which a person then looks at.
    """
    filled = [sum(bool(cell.strip()) for cell in row) for row in rows[:SEARCHED_ROWS]]
    for place, row in enumerate(rows[:SEARCHED_ROWS]):
        known = {field for cell in row if (field := field_for(cell))}
        if len(known) > 1 and can_name_a_patient(list(known)):
            return Header(place, is_known=True)
    widest = max(filled, default=0)
    for place, count in enumerate(filled):
        if count > 1 and count * 2 >= widest:
            return Header(place, is_known=False)
    return None
