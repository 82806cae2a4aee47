"""Tables with a header, whatever they are stored as: their columns become fields, their records rows."""

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
    FIELDS,
    MRN,
    RECORD,
    SYSTEMS,
    TOKENS,
    Columns,
    understand_header,
)
from portal.imports.readers.rows import Problem, Row, Unreadable, own_keys

MAX_COLUMNS = 250
SAMPLED_RECORDS = 50  # Records that samples are taken from.
MAX_SAMPLE_CHARACTERS = 80
_MADE_ALIKE = {"sex": values.sex, "race": values.origin, "ethnicity": values.origin}


@dataclass(frozen=True, slots=True)
class Record:
    """The cells of one record. `wrong` are the positions of cells that hold an error of a spreadsheet."""

    number: int
    cells: list[str]
    end: int
    fault: str = ""
    wrong: Sequence[int] = ()


class TableFile:
    """A table whose header was found. Its columns are understood as `chosen`, or else by their names, when asked for.

    `numeric` are the positions of columns in which numbers were seen: their leading zeros are lost.
    """

    format = ""
    encoding = ""  # Of a text.

    def __init__(self, path: Path, header: Sequence[str], chosen: Sequence[str]) -> None:
        if len(header) > MAX_COLUMNS:
            raise Unreadable(
                f"The file has more than {MAX_COLUMNS} columns. Keep those of the patients."
            )
        self.path, self.size = path, path.stat().st_size
        self.header, self.chosen = [cell.strip() for cell in header], chosen
        self.numeric: set[int] = set()

    @cached_property
    def columns(self) -> Columns:
        """Unreadable when patients cannot be made out of them."""
        return understand_header(self.header, self.chosen)

    @property
    def ignored(self) -> list[str]:
        """The names of the columns that nothing is read from."""
        return self.columns.ignored

    def records(self) -> Iterator[Record]:
        """Every record in order, the header and what stands before it too; again and again."""
        raise NotImplementedError

    def first_records(self) -> list[Record]:
        """The header and the first records behind it."""
        return list(
            islice((record for record in self.records() if record.cells), SAMPLED_RECORDS + 1)
        )

    def rows(self, after: int = 0) -> Iterator[Row]:
        """See PatientFile."""
        for record in self._behind_header():
            if record.number > after and any(cell.strip() for cell in record.cells):
                yield self._row(record)

    def samples(self, count: int) -> list[list[str]]:
        """For each column the first `count` values that stand in it."""
        found: list[list[str]] = [[] for _ in self.header]
        for record in self.first_records()[1:]:
            for seen, cell in zip(found, record.cells if not record.fault else [], strict=False):
                if cell.strip() and len(seen) < count:
                    seen.append(cell.strip()[:MAX_SAMPLE_CHARACTERS])
        return found

    def _behind_header(self) -> Iterator[Record]:
        records = self.records()
        next(record for record in records if record.cells)
        return records

    def _row(self, record: Record) -> Row:
        fault = record.fault
        if not fault and len(record.cells) != len(self.header):
            fault = f"The row has {len(record.cells)} columns, the header has {len(self.header)}."
        problems = [Problem("", "", fault)] if fault else self._errors(record)
        if problems:
            return Row(record.number, record.end, record.cells, problems=problems)
        return self._read(record.number, record.end, record.cells)

    def _errors(self, record: Record) -> list[Problem]:
        reason = "The spreadsheet shows an error in this cell."
        used = [index for index in record.wrong if self.columns.fields[index]]
        return [Problem(self.header[index], record.cells[index], reason) for index in used]

    def _read(self, number: int, end: int, cells: list[str]) -> Row:
        texts = {
            name: unescape_cell(cell.strip())
            for name, cell in zip(self.columns.fields, cells, strict=True)
            if name
        }
        texts = {name: text for name, text in texts.items() if text}
        details: dict[str, Any] = {
            name: _alike(name, text) for name, text in texts.items() if name in FIELDS
        }
        if "date_of_birth" in details:
            day, precision = values.parse_partial_date(details["date_of_birth"])
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
    return (
        found
        + parse_cell(texts.get(TOKENS, ""))
        + own_keys(texts.get(RECORD, ""), texts.get(MRN, ""))
    )
