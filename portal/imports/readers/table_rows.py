"""Makes a row of the cells of a record: each cell in the words of its field, or what is wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from portal.imports.identifier_cell import parse_cell
from portal.imports.readers import values
from portal.imports.readers.cells import clean_cell, find_cell_fault, is_no_name
from portal.imports.readers.columns import IDENTIFIER_CELL, MRN, RECORD, SYSTEMS, Columns
from portal.imports.readers.no_person import why_no_person
from portal.imports.readers.record_state import read_state
from portal.imports.readers.rows import Problem, Row, is_record_id, own_keys
from portal.imports.readers.survey import DATES, MIXED_ORDERS, DateRule
from portal.patients.fields import ENTERED
from portal.patients.reference.identifier_proof import NUMBERS_OF_OFFICES, NoProof

_NORMALISE = {"race": values.normalise_origin, "ethnicity": values.normalise_origin}
NO_MEANING = (
    "This column has other codes than English ones, so none is read by itself. Say what each one "
    "means: on the page of the columns, or by --map."
)
_NO_UUID = "Left out, since another source may mean someone else by it: a record id is a UUID."
_NUMBERS = NUMBERS_OF_OFFICES | {MRN}
_DATE = f"Left out, since it {NoProof.DATE.reason}."
_NO_LETTER = "Left out, since a name has letters."
MAX_KNOWN = 10_000  # Cells of a column that are remembered, with so many characters at most.
MAX_KNOWN_CHARACTERS = 60
_NOTHING: Mapping[int, str] = {}  # Shared by all records, and never changed.


class Record(NamedTuple):
    """The cells of one record.

    `wrong` says what is wrong with the cell at a position, `numbers` are positions of cells that
    are numbers and show no zeros before them, `dates` of those that a spreadsheet keeps as dates.
    `merged` says what became of merged cells.
    """

    number: int
    cells: list[str]
    end: int
    fault: str = ""
    wrong: Mapping[int, str] = _NOTHING
    numbers: frozenset[int] = frozenset()
    dates: frozenset[int] = frozenset()
    merged: Mapping[int, str] = _NOTHING


_PLAIN_RECORD = Record(0, [], 0)


def is_filled(record: Record) -> bool:
    """Tells whether the record is more than a blank line."""
    return bool(record.wrong) or any(map(str.strip, record.cells))


@dataclass(frozen=True)
class RowReader:
    """Reads the records of a table whose columns are known.

    `meanings` are those of values, by field. `english` tells of each field with codes whether they
    are those of English.
    """

    header: Sequence[str]
    columns: Columns
    meanings: Mapping[str, Mapping[str, str]]
    english: Mapping[str, bool]
    dates: DateRule
    # For each column the texts of its cells that came before and had no fault.
    known: list[dict[str, str]] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self.known.extend({} for _ in self.header)

    def read(self, record: Record) -> Row:
        """Returns the row of a record; a broken one says what is wrong with it as a whole."""
        cells = fit_width(record.cells, len(self.header))
        fault = record.fault or why_no_person(cells, self.header, self.columns.fields)
        if not fault and len(cells) != len(self.header):
            fault = f"The row has {len(cells)} columns, the header has {len(self.header)}."
        if fault:
            problems = [Problem("", "", fault)]
            return Row(record.number, record.end, record.cells, problems=problems)
        return self._read(record, cells)

    def _read(self, record: Record, cells: Sequence[str]) -> Row:
        texts, problems, left_out = self._texts(record, cells)
        names = self.columns.names
        state = read_state(texts, names, died_on=texts.get("deceased_on", ""))
        if state.died_on:
            texts.setdefault("deceased_on", state.died_on)
        problems += self._understand(texts)
        details: dict[str, Any] = {
            name: _NORMALISE.get(name, str)(text) for name, text in texts.items() if name in ENTERED
        }
        try:
            identifiers = identifiers_of(texts)
        except ValueError as error:
            cell = texts[IDENTIFIER_CELL]
            problems.append(Problem(names[IDENTIFIER_CELL], cell, str(error)))
            identifiers = []
        if identifiers:
            details["identifiers"] = identifiers
        return Row(
            record.number,
            record.end,
            record.cells,
            details,
            names,
            problems + state.problems,
            left_out=left_out + state.left_out,
            merged=self._merged(record, cells),
            is_archived=state.is_archived,
        )

    def _texts(
        self, record: Record, cells: Sequence[str]
    ) -> tuple[dict[str, str], list[Problem], list[Problem]]:
        """Returns the text of each field, what is wrong with cells, and what is left out."""
        texts: dict[str, str] = {}
        problems: list[Problem] = []
        left_out: list[Problem] = []
        is_plain = not (record.wrong or record.numbers or record.dates)
        for index, (name, cell) in enumerate(zip(self.columns.fields, cells, strict=True)):
            if not name:
                continue
            # Cities, names and days come again and again.
            text = self.known[index].get(cell) if is_plain else None
            if text is None:
                text = clean_cell(name, cell)
                if fault := self._fault(record, index, text):
                    problems.append(Problem(self.header[index], cell, fault))
                    continue
                if reason := _why_left_out(record, index, name, text):
                    left_out.append(Problem(self.header[index], cell, reason))
                    continue
                if is_plain:
                    self._remember(index, cell, text)
            if text:
                texts[name] = text
        return texts, problems, left_out

    def _fault(self, record: Record, index: int, text: str) -> str:
        if fault := record.wrong.get(index):
            return fault
        name, cell = self.columns.fields[index] or "", record.cells[index]
        return find_cell_fault(name, text, cell, is_number=index in record.numbers)

    def _remember(self, index: int, cell: str, text: str) -> None:
        known = self.known[index]
        if len(known) >= MAX_KNOWN:
            known.clear()
        if len(cell) <= MAX_KNOWN_CHARACTERS:
            known[cell] = text

    def _merged(self, record: Record, cells: Sequence[str]) -> list[Problem]:
        """Returns what became of merged cells in the columns that are imported."""
        return [
            Problem(self.header[index], cells[index], reason)
            for index, reason in sorted(record.merged.items())
            if self.columns.fields[index]
        ]

    def _understand(self, texts: dict[str, str]) -> list[Problem]:
        """Puts meanings in the place of codes, and one order into dates; returns what it cannot."""
        problems = []
        for name in [name for name in texts if name in values.MAPPED or name in DATES]:
            typed = texts[name]
            read, reason = self._meaning(name, typed)
            if read is None:
                problems.append(Problem(self.columns.names.get(name, name), typed, reason))
                del texts[name]
            elif read:
                texts[name] = read
            else:
                del texts[name]
        return problems

    def _meaning(self, name: str, typed: str) -> tuple[str | None, str]:
        """Returns what a code or a date means, and why it has no meaning if that is None."""
        if name in DATES:
            return self.dates.read(typed), MIXED_ORDERS
        meanings = self.meanings.get(name, {})
        return values.read_sex(typed, meanings, english=self.english[name]), NO_MEANING

    def plain_text(self, index: int, cell: str) -> str | None:
        """Returns what a cell says by itself, as `details` has it; None if there is a remark."""
        name = self.columns.fields[index] or ""
        text = clean_cell(name, cell)
        if find_cell_fault(name, text, cell) or _why_left_out(_PLAIN_RECORD, index, name, text):
            return None
        is_coded = text and (name in values.MAPPED or name in DATES)
        meaning = self._meaning(name, text)[0] if is_coded else text
        return meaning and _NORMALISE.get(name, str)(meaning)


def _why_left_out(record: Record, index: int, name: str, text: str) -> str:
    if text and index in record.dates and name in _NUMBERS:
        return _DATE
    if name == RECORD and text and not is_record_id(text):
        return _NO_UUID
    return _NO_LETTER if is_no_name(name, text) else ""


def fit_width(cells: list[str], width: int) -> list[str]:
    """Returns the cells without empty ones after the last column."""
    end = len(cells)
    while end > width and not cells[end - 1].strip():
        end -= 1
    return cells[:end]


def identifiers_of(texts: Mapping[str, str]) -> list[dict[str, str]]:
    by_column = [{"system": name, "value": texts[name]} for name in SYSTEMS if name in texts]
    in_one_cell = parse_cell(texts.get(IDENTIFIER_CELL, ""))
    return by_column + in_one_cell + own_keys(texts.get(RECORD, ""), texts.get(MRN, ""))
