"""CSV with a header, in the columns of Synthea, of our own export, or of a spreadsheet."""

import csv
import re
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from portal.imports.readers.encodings import UTF_8
from portal.imports.readers.header import SEARCHED_ROWS, find_header
from portal.imports.readers.lines import Line, lines_of
from portal.imports.readers.rows import Unreadable
from portal.imports.readers.table_rows import Record
from portal.imports.readers.tables import PLAIN, TableFile, TableSettings

MAX_CELL_LINES = 20  # A longer quoted cell is taken for a quote that was never closed.
DELIMITERS = ",;\t|^~"
# The first line by which Excel is told the delimiter.
_SEPARATOR_HINT = re.compile(r'\s*"?sep=([,;\t|^~])"?\s*$', re.IGNORECASE)
_OPEN_QUOTE = "unexpected end of data"
_MAX_PLAIN = 100_000  # Characters: less than the longest cell that the CSV reader takes.


class CsvFile(TableFile):
    """A CSV file; its delimiter is the sign that makes the best header of it."""

    format = "csv"

    def __init__(self, path: Path, settings: TableSettings = PLAIN) -> None:
        self.path, self.encoding = path, settings.encoding or UTF_8
        first = next((line for line in lines_of(path, self.encoding) if line.text.strip()), None)
        if first is None or first.fault:
            raise Unreadable("The header cannot be read. Save the file as CSV UTF-8 and try again.")
        hint = _SEPARATOR_HINT.match(first.text)
        delimiters = (hint[1] if hint else "") + DELIMITERS  # Of two that fit, the first.
        self.delimiter = max(delimiters, key=lambda delimiter: _score(self._first(delimiter)))
        first_records = self._first(self.delimiter)
        found = find_header([record.cells for record in first_records])
        header = first_records[found.place if found else 0]
        self.header_number = header.number
        super().__init__(path, _without_empty_end(header.cells), settings)

    def records(self) -> Iterator[Record]:
        """See TableFile."""
        records = _records(lines_of(self.path, self.encoding), self.delimiter)
        for number, (cells, line, fault) in enumerate(records, start=1):
            yield Record(number, cells, line.end, fault)

    def _first(self, delimiter: str) -> list[Record]:
        self.delimiter = delimiter
        filled = (record for record in self.records() if any(record.cells))
        return list(islice(filled, SEARCHED_ROWS))


def _score(records: Sequence[Record]) -> tuple[bool, int]:
    """Returns how much like a table the records are with their delimiter."""
    found = find_header([record.cells for record in records])
    if found is None:
        return False, 0
    return found.is_known, sum(bool(cell.strip()) for cell in records[found.place].cells)


def _without_empty_end(cells: Sequence[str]) -> list[str]:
    """Returns the cells without the last one if it is empty: some programs end lines so."""
    return list(cells[:-1] if len(cells) > 2 and not cells[-1].strip() else cells)


def _records(lines: Iterator[Line], delimiter: str) -> Iterator[tuple[list[str], Line, str]]:
    """Yields cells, the line that ends the record, and what is wrong with it.

    A quote that is never closed costs its own line only: the lines after it are read again.
    """
    read_again: deque[Line] = deque()

    def next_line() -> Line | None:
        return read_again.popleft() if read_again else next(lines, None)

    while line := next_line():
        block = [line]
        cells, fault = _cells(block, delimiter)
        while fault == _OPEN_QUOTE and len(block) < MAX_CELL_LINES:
            following = next_line()
            if following is None:
                break
            block.append(following)
            cells, fault = _cells(block, delimiter)
        if not fault:
            yield cells, block[-1], ""
            continue
        read_again.extendleft(reversed(block[1:]))
        reason = line.fault or _reason(fault if len(block) == 1 else _OPEN_QUOTE)
        yield [line.text.rstrip("\r\n")], line, reason


def _cells(block: list[Line], delimiter: str) -> tuple[list[str], str]:
    """Returns the cells of these lines and the fault of the CSV reader, if there is one."""
    if fault := block[-1].fault:
        return [], fault
    text = "".join(line.text for line in block)
    if plain := _without_quotes(text, delimiter):
        return plain, ""
    try:
        return next(_reader(text, delimiter), []), ""
    except csv.Error as error:
        return [], str(error)


def _without_quotes(text: str, delimiter: str) -> list[str]:
    """Returns what the CSV reader makes of a plain line, in a third of its time; [] for others."""
    line = text.removesuffix("\n").removesuffix("\r")
    is_plain = line and len(line) <= _MAX_PLAIN and '"' not in line and "\r" not in line
    if not is_plain or line[0] == " " or f"{delimiter} " in line:
        return []
    return line.split(delimiter)


def _reader(text: str, delimiter: str) -> Iterator[list[str]]:
    """Reads a record. Blanks before a quotation mark are left out, as people type them."""
    return csv.reader([text], delimiter=delimiter, strict=True, skipinitialspace=True)


def _reason(fault: str) -> str:
    """Returns the CSV reader's message in our words."""
    if "expected after" in fault:
        return "A quotation mark stands inside of a quoted cell. Double it."
    if "new-line" in fault:
        return "A line end stands inside of a cell without quotation marks."
    if "field limit" in fault:
        return "A cell is too long."
    return "A quotation mark is opened and never closed."
