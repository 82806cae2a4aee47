"""Tables with a header, however they are stored: their columns are fields, their records rows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

from portal.csv_safe import unescape_cell
from portal.imports.identifier_cell import parse_cell
from portal.imports.readers import values
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
    "sex": values.normalise_sex,
    "race": values.normalise_origin,
    "ethnicity": values.normalise_origin,
}


@dataclass(frozen=True, slots=True)
class Record:
    """The cells of one record. `wrong` are the positions of cells with a spreadsheet's error."""

    number: int
    cells: list[str]
    end: int
    fault: str = ""
    wrong: Sequence[int] = ()


class TableFile:
    """A table whose header was found. Its columns mean what is `chosen`, else what they are called.

    `numeric` are the positions of columns with numbers, whose leading zeros are lost.
    """

    format = ""
    encoding = ""  # Of a text file.

    def __init__(self, path: Path, header: Sequence[str], chosen: Sequence[str]) -> None:
        if len(header) > MAX_COLUMNS:
            advice = "Keep those of the patients."
            raise Unreadable(f"The file has more than {MAX_COLUMNS} columns. {advice}")
        self.path, self.size = path, path.stat().st_size
        self.header, self.chosen = [cell.strip() for cell in header], chosen
        self.numeric: set[int] = set()

    @cached_property
    def columns(self) -> Columns:
        """What the columns mean; Unreadable if rows cannot be told to be about a patient."""
        return understand_header(self.header, self.chosen)

    def require_columns(self) -> None:
        """Unreadable, with what a header must be, if rows cannot be told to be about a patient."""
        understand_header(self.header, self.chosen)

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
        filled = (record for record in self.records() if record.cells)
        return list(islice(filled, SAMPLED_RECORDS + 1))

    def rows(self, after: int = 0) -> Iterator[Row]:
        """See PatientFile."""
        for record in self._behind_header():
            if record.number > after and any(cell.strip() for cell in record.cells):
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
        records = self.records()
        next(record for record in records if record.cells)
        return records

    def _row(self, record: Record) -> Row:
        fault = record.fault
        if not fault and len(record.cells) != len(self.header):
            fault = f"The row has {len(record.cells)} columns, the header has {len(self.header)}."
        problems = [Problem("", "", fault)] if fault else self._cell_errors(record)
        if problems:
            return Row(record.number, record.end, record.cells, problems=problems)
        return self._read(record)

    def _cell_errors(self, record: Record) -> list[Problem]:
        reason = "The spreadsheet shows an error in this cell."
        imported = [index for index in record.wrong if self.columns.fields[index]]
        return [Problem(self.header[index], record.cells[index], reason) for index in imported]

    def _read(self, record: Record) -> Row:
        texts = self._texts(record.cells)
        details: dict[str, Any] = {}
        for name, text in texts.items():
            if name in ENTERED:
                details[name] = _NORMALISE.get(name, str)(text)
        if "date_of_birth" in details:
            day, precision = values.parse_partial_date(details["date_of_birth"])
            details = {"date_of_birth_precision": precision, **details, "date_of_birth": day}
        columns = self.columns.names
        try:
            identifiers = _identifiers(texts)
        except ValueError as error:
            problem = Problem(columns[IDENTIFIER_CELL], texts[IDENTIFIER_CELL], str(error))
            return Row(record.number, record.end, record.cells, problems=[problem])
        if identifiers:
            details["identifiers"] = identifiers
        return Row(record.number, record.end, record.cells, details, columns)

    def _texts(self, cells: list[str]) -> dict[str, str]:
        """Returns the text of each field that is not blank."""
        texts = {}
        for name, cell in zip(self.columns.fields, cells, strict=True):
            if name and (text := unescape_cell(cell.strip())):
                texts[name] = text
        return texts


def _identifiers(texts: dict[str, str]) -> list[dict[str, str]]:
    by_column = [{"system": name, "value": texts[name]} for name in SYSTEMS if name in texts]
    in_one_cell = parse_cell(texts.get(IDENTIFIER_CELL, ""))
    return by_column + in_one_cell + own_keys(texts.get(RECORD, ""), texts.get(MRN, ""))
