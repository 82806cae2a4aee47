"""Tables with a header, however they are stored: their columns are fields, their records rows."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
    STATUS,
    SYSTEMS,
    Columns,
    understand_header,
)
from portal.imports.readers.rows import Problem, Row, Unreadable, own_keys
from portal.imports.readers.survey import (
    MIXED_ORDERS,
    ColumnSurvey,
    choose_order,
    read_in_order,
)
from portal.patients.dates import clinic_order
from portal.patients.fields import ENTERED, ENTERED_FIELDS, Kind

MAX_COLUMNS = 250  # A wider table is refused.
SAMPLED_RECORDS = 50  # Records that samples are taken from.
MAX_SAMPLE_CHARACTERS = 80  # The rest of a longer value is cut off.
_NORMALISE = {
    "race": values.normalise_origin,
    "ethnicity": values.normalise_origin,
}
DATES = {field.name for field in ENTERED_FIELDS if field.kind == Kind.DATE}
FACT_RECORDS = 1000  # Records that are looked at before the columns are set.
MAX_FACT_VALUES = 12  # Different values of a column that a person is asked about.
NO_MEANING = (
    "This column has other codes than English ones, so none is read by itself. Say what each one "
    "means: on the page of the columns, or by --map."
)
# What the column of a record's status says. Our own exports have the first words of both.
_IN_USE, _OUT_OF_USE = ("active",), ("archived", "inactive")
_MERGED = "This record was merged into another one at its source. Import that one."
_NO_STATUS = "Left out, since only active, archived, inactive and merged say how a record stands."
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

    def __init__(self, path: Path, header: Sequence[str], given: TableSettings) -> None:
        if len(header) > MAX_COLUMNS:
            advice = "Keep those of the patients."
            raise Unreadable(f"The file has more than {MAX_COLUMNS} columns. {advice}")
        self.path, self.size = path, path.stat().st_size
        self.header, self.settings = [cell.strip() for cell in header], given
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
        """Returns the header and the first records after it."""
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
        problems += self._understand(texts)
        details: dict[str, Any] = {}
        columns = self.columns.names
        for name, text in texts.items():
            if name in ENTERED:
                details[name] = _NORMALISE.get(name, str)(text)
        try:
            identifiers = _identifiers(texts)
        except ValueError as error:
            cell = texts[IDENTIFIER_CELL]
            problems.append(Problem(columns[IDENTIFIER_CELL], cell, str(error)))
            identifiers = []
        if identifiers:
            details["identifiers"] = identifiers
        left_out: list[Problem] = []
        status = texts.get(STATUS, "").lower()
        if status == "merged":
            problems.append(Problem(columns[STATUS], texts[STATUS], _MERGED))
        elif status and status not in (*_IN_USE, *_OUT_OF_USE):
            left_out.append(Problem(columns[STATUS], texts[STATUS], _NO_STATUS))
        return Row(
            record.number,
            record.end,
            record.cells,
            details,
            columns,
            problems,
            left_out,
            is_archived=status in _OUT_OF_USE,
        )

    def _understand(self, texts: dict[str, str]) -> list[Problem]:
        """Puts meanings in the place of codes, and one order into dates; returns what it cannot."""
        problems = []
        for name in [name for name in texts if name in values.MAPPED or name in DATES]:
            typed = texts[name]
            if name in DATES:
                read, reason = read_in_order(typed, self.date_order), MIXED_ORDERS
            else:
                meanings = self.settings.values.get(name, {})
                read = values.read_sex(typed, meanings, english=self._english[name])
                reason = NO_MEANING
            if read is None:
                problems.append(Problem(self.columns.names[name], typed, reason))
                del texts[name]
            elif read:
                texts[name] = read
            else:
                del texts[name]
        return problems

    @cached_property
    def _english(self) -> dict[str, bool]:
        """Tells whether the codes of a column are those of English, by field."""
        surveys = self.surveys.items()
        return {name: values.are_english_codes(survey.values) for name, survey in surveys}

    @cached_property
    def date_order(self) -> str:
        """The order of day and month that the file proves, else the chosen one."""
        surveys = [survey for name, survey in self.surveys.items() if name in DATES]
        return choose_order(surveys, self.settings.date_order or clinic_order())

    @cached_property
    def surveys(self) -> dict[str, ColumnSurvey]:
        """What the columns of codes and dates say as a whole, by field: this reads the file once.

        Without it the last row of a file could show that the first one was read wrong.
        """
        fields = {
            index: name
            for index, name in enumerate(self.columns.fields)
            if name and (name in values.MAPPED or name in DATES)
        }
        surveys = {name: ColumnSurvey() for name in fields.values()}
        if fields:
            _survey(self._behind_header(), fields, surveys)
        return surveys

    def column_facts(self) -> list[dict[str, Any]]:
        """Returns for each column what its first records show: `values`, and `dates`.

        `values` is empty for a column with many values, `dates` is empty for one without dates
        whose order matters, else the orders that they prove, or `both`.
        """
        fields = dict(enumerate(str(index) for index in range(len(self.header))))
        surveys = {name: ColumnSurvey() for name in fields.values()}
        records = (record for record in self._behind_header() if not record.fault)
        _survey(islice(records, FACT_RECORDS), fields, surveys, all_kinds=True)
        return [_facts(survey) for survey in surveys.values()]

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


def _survey(
    records: Iterable[Record],
    fields: Mapping[int, str],
    surveys: Mapping[str, ColumnSurvey],
    *,
    all_kinds: bool = False,
) -> None:
    for record in records:
        if record.fault:
            continue
        for index, name in fields.items():
            if index >= len(record.cells):
                continue
            text = clean_cell(name, record.cells[index])
            if all_kinds or name in DATES:
                surveys[name].add_date(text)
            if all_kinds or name not in DATES:
                surveys[name].add_value(text)


def _facts(survey: ColumnSurvey) -> dict[str, Any]:
    found = list(survey.values.values())
    dates = sorted(survey.orders) or (["both"] if survey.reads_both_ways else [])
    return {"values": found if len(found) <= MAX_FACT_VALUES else [], "dates": dates}


def _fit_width(cells: list[str], width: int) -> list[str]:
    """Returns the cells without empty ones after the last column."""
    end = len(cells)
    while end > width and not cells[end - 1].strip():
        end -= 1
    return cells[:end]


def _identifiers(texts: dict[str, str]) -> list[dict[str, str]]:
    by_column = [{"system": name, "value": texts[name]} for name in SYSTEMS if name in texts]
    in_one_cell = parse_cell(texts.get(IDENTIFIER_CELL, ""))
    return by_column + in_one_cell + own_keys(texts.get(RECORD, ""), texts.get(MRN, ""))
