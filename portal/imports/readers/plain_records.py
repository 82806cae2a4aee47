"""Reads the records of a table whose cells say what they mean, each distinct cell once.

Nearly all records of most files are such. Whatever is odd about a record leaves it to `RowReader`,
which knows the words for it: both give the same.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from portal.imports.readers.columns import ACTIVE, DECEASED, STATUS
from portal.imports.readers.no_person import FIRST_DIGITS, is_surely_person, why_no_person
from portal.imports.readers.plain_values import PlainField, remember
from portal.imports.readers.record_state import read_state
from portal.imports.readers.rows import Row
from portal.imports.readers.table_rows import Record, RowReader, fit_width, identifiers_of
from portal.imports.readers.targets import DIGITS
from portal.patients.fields import ENTERED

_STATES = (DECEASED, ACTIVE, STATUS)

CellReader = Callable[[str], Any]


class PlainRecord(NamedTuple):
    """A row without a remark, and the validated values of its fields but the identifiers."""

    row: Row
    values: dict[str, Any]


class _Column(NamedTuple):
    """A column that is imported: where it stands, what it becomes, and what its cells are.

    `known` has the cells that came before, `read` finds what another one is; None if it is odd.
    """

    place: int
    name: str
    known: dict[str, Any]
    read: CellReader


class PlainRecords:
    """The records of one table."""

    def __init__(self, reader: RowReader) -> None:
        self._reader, self._width = reader, len(reader.header)
        fields = [(index, name) for index, name in enumerate(reader.columns.fields) if name]
        self._fields = [self._column(*field) for field in fields if field[1] in ENTERED]
        self._states = [self._column(*field) for field in fields if field[1] in _STATES]
        others = [field for field in fields if field[1] not in (*ENTERED, *_STATES)]
        self._identifiers = [self._column(*field) for field in others]
        self._has_deceased = any(column.name == DECEASED for column in self._states)
        # Where a cell that was kept as a number or a day may have lost something.
        self._exact = frozenset(index for index, name in fields if name in DIGITS) | frozenset(
            column.place for column in self._identifiers
        )
        self._places = [index for index, _ in fields]
        self._number_at = self._places[0]  # Where the last record had a number.

    def read(self, record: Record) -> PlainRecord | None:
        """Returns the row of a record; None if anything about it is odd."""
        if record.fault or record.wrong or record.merged or self._lost_something(record):
            return None
        cells = record.cells
        if len(cells) != self._width:
            cells = fit_width(cells, self._width)
            if len(cells) != self._width:
                return None
        details: dict[str, Any] = {}
        values: dict[str, Any] = {}
        for index, name, known, read in self._fields:
            cell = cells[index]
            found = known.get(cell) or read(cell)
            if found is None:
                return None
            text, value = found
            if text:
                details[name] = text
                values[name] = value
        numbers: dict[str, str] = {}
        for index, name, known, read in self._identifiers:
            cell = cells[index]
            found = known.get(cell) or read(cell)
            if found is None:
                return None
            if found[0]:
                numbers[name] = found[0]
        if self._is_odd(cells, details, numbers):
            return None
        if numbers:
            try:
                identifiers = identifiers_of(numbers)
            except ValueError:
                return None
            if identifiers:
                details["identifiers"] = identifiers
        names = self._reader.columns.names
        return PlainRecord(Row(record.number, record.end, record.cells, details, names), values)

    def _lost_something(self, record: Record) -> bool:
        """Tells whether a number may have lost its zeros, or be a day that a spreadsheet made."""
        if record.dates and not self._exact.isdisjoint(record.dates):
            return True
        exact = self._exact & record.numbers if record.numbers else ()
        return any("." in record.cells[index] for index in exact)

    def _is_odd(self, cells: list[str], details: dict[str, Any], numbers: dict[str, str]) -> bool:
        """Tells whether the record may be no person, or says something of its state."""
        if len(details) + len(numbers) < 2:
            return True
        for index, name, known, read in self._states:
            cell = cells[index]
            if (known.get(cell) or read(cell)) is None:
                return True
            if name == DECEASED and cell and "deceased_on" in details:
                return True
        if self._has_number(cells) and is_surely_person(cells, self._reader.header[0]):
            return False
        reader = self._reader
        return bool(why_no_person(cells, reader.header, reader.columns.fields))

    def _has_number(self, cells: list[str]) -> bool:
        if cells[self._number_at][:1] in FIRST_DIGITS:
            return True
        found = next((at for at in self._places if cells[at][:1] in FIRST_DIGITS), None)
        if found is None:
            return False
        self._number_at = found
        return True

    def _column(self, index: int, name: str) -> _Column:
        known: dict[str, Any] = {}
        if name in _STATES:
            return _Column(index, name, known, self._state_reader(index, name, known))
        if name in ENTERED:
            return _Column(index, name, known, self._field_reader(index, name, known))
        return _Column(index, name, known, self._identifier_reader(index))

    def _field_reader(self, index: int, name: str, known: dict[str, Any]) -> CellReader:
        field, plain_text = PlainField(name), self._reader.plain_text
        is_unique = field.is_unique

        def read(cell: str) -> tuple[str, Any] | None:
            value = field.look(cell)
            if value is not None:
                found = (cell, value)
                if not is_unique:
                    remember(known, cell, found)
                return found
            text = plain_text(index, cell)
            value = field.value_of(text) if text else ""
            if text is None or value is None:
                return None
            found = (text, value)
            remember(known, cell, found)
            return found

        return read

    def _identifier_reader(self, index: int) -> CellReader:
        """Each person has a number of their own: none is remembered."""
        plain_text = self._reader.plain_text

        def read(cell: str) -> tuple[str] | None:
            text = plain_text(index, cell) if cell else ""
            return None if text is None else (text,)

        return read

    def _state_reader(self, index: int, name: str, known: dict[str, Any]) -> CellReader:
        plain_text = self._reader.plain_text

        def read(cell: str) -> tuple[str] | None:
            text = plain_text(index, cell)
            if text is None:
                return None
            state = read_state({name: text}, {name: name})
            if state.problems or state.left_out or state.is_archived or state.died_on:
                return None
            remember(known, cell, (text,))
            return (text,)

        return read
