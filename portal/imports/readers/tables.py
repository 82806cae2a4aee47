"""Tables with a header, however they are stored: their columns are fields, their records rows."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

from portal.imports.identifier_cell import parse_cell
from portal.imports.readers import values
from portal.imports.readers.cells import clean_cell, find_cell_fault
from portal.imports.readers.columns import (
    IDENTIFIER_CELL,
    MRN,
    RECORD,
    SYSTEMS,
    Columns,
    understand_header,
)
from portal.imports.readers.rows import Problem, Row, Unreadable, own_keys
from portal.patients.fields import ENTERED

MAX_COLUMNS = 250  # A wider table is refused.
SAMPLED_RECORDS = 50  # Records that samples are taken from.
MAX_SAMPLE_CHARACTERS = 80  # The rest of a longer value is cut off.
_NORMALISE = {
    "race": values.normalise_origin,
    "ethnicity": values.normalise_origin,
}
# A line below the header that says what the columns are: (required), Text, yyyy-mm-dd.
_HINT = re.compile(
    r"\(.*\)|text|string|varchar.*|char.*|date|number|integer|required|optional|mandatory"
    r"|[dmy]{2,4}[-/. ][dmy]{2,4}[-/. ][dmy]{2,4}",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class TableSettings:
    """How a table is read: what is not set follows from the table itself.

    `columns` is the field of each column ("" leaves it out). `values` are the meanings of the
    values of a field: {"sex": {"w": "female"}}. `date_order` is the order of day and month.
    """

    columns: Sequence[str] = ()
    encoding: str = ""
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    date_order: str = ""


PLAIN = TableSettings()


@dataclass(frozen=True, slots=True)
class Record:
    """The cells of one record.

    `wrong` says what is wrong with the cell at a position, `numbers` are positions of cells that
    are numbers and show no zeros before them.
    """

    number: int
    cells: list[str]
    end: int
    fault: str = ""
    wrong: Mapping[int, str] = field(default_factory=dict)
    numbers: frozenset[int] = frozenset()


class TableFile:
    """A table whose header was found.

    `numeric` are the positions of columns with numbers, whose leading zeros are lost.
    """

    format = ""
    encoding = ""  # Of a text file.
    header_number = 0  # The row that is the header.

    def __init__(self, path: Path, header: Sequence[str], settings: TableSettings) -> None:
        if len(header) > MAX_COLUMNS:
            advice = "Keep those of the patients."
            raise Unreadable(f"The file has more than {MAX_COLUMNS} columns. {advice}")
        self.path, self.size = path, path.stat().st_size
        self.header, self.settings = [cell.strip() for cell in header], settings
        self.numeric: set[int] = set()

    @cached_property
    def columns(self) -> Columns:
        """What the columns mean; Unreadable if rows cannot be told to be about a patient."""
        return understand_header(self.header, self.settings.columns)

    def require_columns(self) -> None:
        """Unreadable, with what a header must be, if rows cannot be told to be about a patient."""
        understand_header(self.header, self.settings.columns)

    @property
    def ignored(self) -> list[str]:
        """The names of the columns that are not imported."""
        return self.columns.ignored

    def records(self) -> Iterator[Record]:
        """Yields every record in order, the header and what stands before it too.

        It can be called again.
        """
        raise NotImplementedError

    def first_records(self) -> list[Record]:
        """Returns the header and the first records behind it."""
        filled = (record for record in self.records() if record.number >= self.header_number)
        return list(islice(filled, SAMPLED_RECORDS + 1))

    def rows(self, after: int = 0) -> Iterator[Row]:
        """See PatientFile."""
        for record in self._behind_header():
            is_filled = record.wrong or any(cell.strip() for cell in record.cells)
            if record.number > after and is_filled:
                yield self._row(record)

    def samples(self, count: int) -> list[list[str]]:
        """Returns the first `count` values of each column."""
        samples: list[list[str]] = [[] for _ in self.header]
        for record in self.first_records()[1:]:
            if record.fault:
                continue
            for column, cell in zip(samples, record.cells, strict=False):
                if cell.strip() and len(column) < count:
                    column.append(cell.strip()[:MAX_SAMPLE_CHARACTERS])
        return samples

    def _behind_header(self) -> Iterator[Record]:
        return (record for record in self.records() if record.number > self.header_number)

    def _row(self, record: Record) -> Row:
        cells = _fit_width(record.cells, len(self.header))
        fault = record.fault or self._no_person(cells)
        if not fault and len(cells) != len(self.header):
            fault = f"The row has {len(cells)} columns, the header has {len(self.header)}."
        if fault:
            problems = [Problem("", "", fault)]
            return Row(record.number, record.end, record.cells, problems=problems)
        return self._read(record, cells)

    def _no_person(self, cells: Sequence[str]) -> str:
        """Says what a line is that is about no person; "" for one that is."""
        filled = [cell.strip() for cell in cells if cell.strip()]
        if [cell.strip().lower() for cell in cells] == [name.lower() for name in self.header]:
            return "This row repeats the header."
        is_prose = len(filled) == 1 or len(cells) != len(self.header)
        if filled and filled[0].startswith("#") and is_prose:
            return "This line is a comment, and no person."
        if filled and all(_HINT.fullmatch(cell) for cell in filled):
            return "This row describes the columns, and no person."
        return ""

    def _read(self, record: Record, cells: Sequence[str]) -> Row:
        texts, problems = self._texts(record, cells)
        details: dict[str, Any] = {}
        columns = self.columns.names
        for name, text in texts.items():
            if name in ENTERED:
                details[name] = _NORMALISE.get(name, str)(text)
        if "sex" in details:
            details["sex"] = values.normalise_sex(details["sex"])
        try:
            identifiers = _identifiers(texts)
        except ValueError as error:
            cell = texts[IDENTIFIER_CELL]
            problems.append(Problem(columns[IDENTIFIER_CELL], cell, str(error)))
        if problems:
            return Row(record.number, record.end, record.cells, problems=problems)
        if identifiers:
            details["identifiers"] = identifiers
        return Row(record.number, record.end, record.cells, details, columns)

    def _texts(self, record: Record, cells: Sequence[str]) -> tuple[dict[str, str], list[Problem]]:
        """Returns the text of each field that is not blank, and what is wrong with cells."""
        texts: dict[str, str] = {}
        problems = []
        for index, (name, cell) in enumerate(zip(self.columns.fields, cells, strict=True)):
            if not name:
                continue
            text = clean_cell(name, cell)
            if fault := record.wrong.get(index) or find_cell_fault(name, text):
                problems.append(Problem(self.header[index], cell, fault))
            elif text:
                texts[name] = text
        return texts, problems


def _fit_width(cells: list[str], width: int) -> list[str]:
    """Returns the cells without empty ones behind the last column."""
    end = len(cells)
    while end > width and not cells[end - 1].strip():
        end -= 1
    return cells[:end]


def _identifiers(texts: dict[str, str]) -> list[dict[str, str]]:
    by_column = [{"system": name, "value": texts[name]} for name in SYSTEMS if name in texts]
    in_one_cell = parse_cell(texts.get(IDENTIFIER_CELL, ""))
    return by_column + in_one_cell + own_keys(texts.get(RECORD, ""), texts.get(MRN, ""))
