"""CSV with a header, in the columns of Synthea, of our own export, or of a spreadsheet."""

import csv
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from portal.cells import plain
from portal.imports.readers import values
from portal.imports.readers.columns import FIELDS, MRN, RECORD, SYSTEMS, TOKENS, understand
from portal.imports.readers.lines import Line, lines_of
from portal.imports.readers.rows import Problem, Row, Unreadable, own_keys
from portal.imports.tokens import from_cell

MOST_LINES = 20  # A quoted cell over more lines is taken for a quote that was never closed.
_OPEN_QUOTE = "unexpected end of data"
_MADE_ALIKE = {"sex": values.sex, "race": values.origin, "ethnicity": values.origin}


class CsvFile:
    """A CSV file whose header was understood; its delimiter is the comma, semicolon or tab that the header uses."""

    format = "csv"

    def __init__(self, path: Path) -> None:
        self.path, self.size = path, path.stat().st_size
        first = next((line for line in lines_of(path) if line.text.strip()), None)
        if first is None or first.fault:
            raise Unreadable("The header cannot be read. Save the file as CSV UTF-8 and try again.")
        self.delimiter = max(",;\t", key=first.text.count)
        records = _records(lines_of(path), self.delimiter)
        cells = next(cells for cells, _line, _fault in records if cells)
        self.header = [cell.strip() for cell in cells]
        self.columns = understand(self.header)
        self.ignored = self.columns.ignored

    def rows(self, after: int = 0) -> Iterator[Row]:
        """See PatientFile."""
        records = enumerate(_records(lines_of(self.path), self.delimiter), start=1)
        next(number for number, (cells, _line, _fault) in records if cells)  # The header.
        for number, (cells, line, fault) in records:
            if number > after and any(cell.strip() for cell in cells):
                yield self._row(number, cells, line, fault)

    def _row(self, number: int, cells: list[str], line: Line, fault: str) -> Row:
        if not fault and len(cells) != len(self.header):
            fault = f"The row has {len(cells)} columns, the header has {len(self.header)}."
        if fault:
            return Row(number, line.end, cells, problems=[Problem("", "", fault)])
        return self._read(number, line.end, cells)

    def _read(self, number: int, end: int, cells: list[str]) -> Row:
        texts = {name: plain(cell.strip()) for name, cell in zip(self.columns.fields, cells, strict=True) if name}
        texts = {name: text for name, text in texts.items() if text}
        details: dict[str, Any] = {name: _alike(name, text) for name, text in texts.items() if name in FIELDS}
        if "date_of_birth" in details:
            day, precision = values.parts_of_date(details["date_of_birth"])
            details = {"date_of_birth_precision": precision, **details, "date_of_birth": day}
        try:
            identifiers = _identifiers(texts)
        except ValueError as error:
            wrong = Problem(self.columns.words[TOKENS], texts[TOKENS], str(error))
            return Row(number, end, cells, problems=[wrong])
        if identifiers:
            details["identifiers"] = identifiers
        return Row(number, end, cells, details, self.columns.words)


def _alike(name: str, text: str) -> str:
    return _MADE_ALIKE.get(name, str)(text)


def _identifiers(texts: dict[str, str]) -> list[dict[str, str]]:
    found = [{"system": name, "value": texts[name]} for name in SYSTEMS if name in texts]
    return found + from_cell(texts.get(TOKENS, "")) + own_keys(texts.get(RECORD, ""), texts.get(MRN, ""))


def _records(lines: Iterator[Line], delimiter: str) -> Iterator[tuple[list[str], Line, str]]:
    """Cells, the line that ends the record, and what is wrong with it.

    A quote that is never closed costs its own line only: the lines behind it are read again from their start.
    """
    waiting: deque[Line] = deque()
    while line := waiting.popleft() if waiting else next(lines, None):
        block = [line]
        cells, fault = _cells(block, delimiter)
        while fault == _OPEN_QUOTE and len(block) < MOST_LINES:
            more = waiting.popleft() if waiting else next(lines, None)
            if more is None:
                break
            block.append(more)
            cells, fault = _cells(block, delimiter)
        if fault:
            waiting.extendleft(reversed(block[1:]))
            yield [line.text.rstrip("\r\n")], line, line.fault or _words(fault if len(block) == 1 else _OPEN_QUOTE)
        else:
            yield cells, block[-1], ""


def _cells(block: list[Line], delimiter: str) -> tuple[list[str], str]:
    if fault := block[-1].fault:
        return [], fault
    try:
        return next(csv.reader(["".join(line.text for line in block)], delimiter=delimiter, strict=True), []), ""
    except csv.Error as error:
        return [], str(error)


def _words(fault: str) -> str:
    if "expected after" in fault:
        return "A quotation mark stands inside of a quoted cell. Double it."
    if "new-line" in fault:
        return "A line end stands inside of a cell without quotation marks."
    if "field limit" in fault:
        return "A cell is too long."
    return "A quotation mark is opened and never closed."
