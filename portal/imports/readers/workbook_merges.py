"""Merged cells of a sheet: one value stands for several rows, or across columns.

A spreadsheet keeps the value in the first cell and leaves the others empty. It counts for each row,
as a person who looks at the sheet reads it. It does not count for further columns: a name across
two columns is not both names.
"""

import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from portal.imports.readers.rows import Unreadable
from portal.imports.readers.table_rows import Record
from portal.imports.readers.workbook_package import Package

MAX_AREAS = 100_000
_TOO_MANY = "The workbook has too many merged cells. Unmerge them, save it and try again."
HIDDEN_VALUE = (
    "This cell is merged with others and hides a value of its own. Unmerge the cells, and keep the "
    "value that is right."
)
HEADING = (
    "The only cell of this row is merged over several columns, as a heading is. Unmerge it if the "
    "row is a person."
)
_DOWN = "Merged over rows {} to {}: the value stands in row {} and counts for each of them."
_ACROSS = "Merged with the cell before it, whose value counts for that column alone."
_ELEMENT = re.compile(
    rb"<(?:[\w.-]{1,40}:)?mergeCell\s[^<>]{0,400}?\bref\s*=\s*[\"']"
    rb"\$?([A-Za-z]{1,3})\$?([0-9]{1,7}):\$?([A-Za-z]{1,3})\$?([0-9]{1,7})[\"']"
)
_LONGEST = 600  # Bytes of such an element.


@dataclass(frozen=True, slots=True)
class Area:
    """Cells that are merged: rows by their numbers, columns from 0, the last ones included."""

    top: int
    bottom: int
    left: int
    right: int


def read_areas(package: Package, part: str) -> list[Area]:
    """Returns the merged cells of a sheet from its top.

    They stand behind its rows in the file. To parse all of it for them would take as long as the
    import, in a web process at that: their elements are looked for in its bytes.
    """
    areas: list[Area] = []
    rest = b""
    for piece in package.pieces(part):
        searched = rest + piece.replace(b"\0", b"")  # So that UTF-16 is found, too.
        end = 0
        if b"mergeCell" in searched:
            for found in _ELEMENT.finditer(searched):
                end = found.end()
                areas.append(_area(*(text.decode() for text in found.groups())))
                if len(areas) > MAX_AREAS:
                    raise Unreadable(_TOO_MANY)
        rest = searched[max(end, len(searched) - _LONGEST) :]
    return sorted(areas, key=lambda area: area.top)


def _area(left: str, top: str, right: str, bottom: str) -> Area:
    return Area(*sorted([int(top), int(bottom)]), *sorted(map(column_index, [left, right])))


def column_index(letters: str) -> int:
    """Returns 0 for A, 26 for AA."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1


def fill_merged(
    records: Iterable[Record], areas: Iterable[Area], *, header: int, width: int
) -> Iterator[Record]:
    """Yields the records below the header's row with the values of merged cells.

    `merged` of a record says what was done. Rows without a cell of their own do not come at all.
    """
    waiting = deque(area for area in areas if area.top > header and area.left < width)
    active: dict[int, tuple[Area, Record]] = {}  # By the first column.
    for record in records:
        while waiting and waiting[0].top <= record.number:
            area = waiting.popleft()
            if area.top == record.number:
                active[area.left] = area, record
        active = {
            left: (area, first)
            for left, (area, first) in active.items()
            if record.number <= area.bottom
        }
        yield _fill(record, list(active.values()), width) if active else record


def _fill(record: Record, areas: list[tuple[Area, Record]], width: int) -> Record:
    cells = record.cells + [""] * (width - len(record.cells))
    wrong, merged = dict(record.wrong), dict(record.merged)
    numbers, dates = set(record.numbers), set(record.dates)
    for area, first in areas:
        if record.number > area.top and area.left < len(first.cells):
            value, place = first.cells[area.left], area.left
            if cells[place] and cells[place] != value:
                wrong[place] = HIDDEN_VALUE
            elif value and not cells[place]:
                cells[place] = value
                merged[place] = _DOWN.format(area.top, area.bottom, area.top)
                wrong |= {place: first.wrong[place]} if place in first.wrong else {}
                numbers |= {place} & first.numbers
                dates |= {place} & first.dates
        for place in range(area.left + 1, min(area.right + 1, width)):
            if cells[place]:
                wrong[place] = HIDDEN_VALUE
            elif cells[area.left]:
                merged[place] = _ACROSS
    return record._replace(
        cells=cells,
        fault=record.fault or _why_heading(record, areas, width),
        wrong=wrong,
        numbers=frozenset(numbers),
        dates=frozenset(dates),
        merged=merged,
    )


def _why_heading(record: Record, areas: list[tuple[Area, Record]], width: int) -> str:
    filled = [place for place, cell in enumerate(record.cells) if cell]
    is_heading = any(
        filled == [area.left] and area.top == record.number and area.left < area.right
        for area, _ in areas
    )
    return HEADING if is_heading and width > 1 else ""
